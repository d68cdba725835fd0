"""What a request to Socket.IO must look like before anything is kept of it."""

import binascii
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

_KEY_BYTES = 16
_NO_JSONP = "400 Bad Request", "JSONP is not spoken here"
_NO_WEBSOCKET = "400 Bad Request", "this is no request for a WebSocket (RFC 6455, section 4.1)"
_OLD = "426 Upgrade Required", "WebSockets are version 13"


def flaw(environ: dict[str, Any]) -> tuple[str, str] | None:
    """Return status and reason of a request that engineio would begin a session for and never finish, else None."""
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if "j" in query:
        return _NO_JSONP
    if "HTTP_UPGRADE" not in environ and "websocket" not in query.get("transport", []):
        return None
    if not _asks_for_websocket(environ):
        return _NO_WEBSOCKET
    return None if environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13" else _OLD


def _asks_for_websocket(environ: dict[str, Any]) -> bool:
    connection = [part.strip().lower() for part in environ.get("HTTP_CONNECTION", "").split(",")]
    return (
        environ.get("REQUEST_METHOD") == "GET"
        and environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        and "upgrade" in connection
        and _is_key(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""))
    )


def _is_key(text: str) -> bool:
    try:
        return len(b64decode(text, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False
