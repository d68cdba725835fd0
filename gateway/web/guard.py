"""What is checked before any request: whose page it comes from, and what it may negotiate.

A loopback server without users trusts whoever reaches it, so it must be sure that the page in the
browser is its own: the Host header is checked (DNS rebinding), the Origin of a WebSocket and of
whatever changes something, and what the browser says of a request that has no Origin: an image of
another site would make a session of Socket.IO each time (https://www.w3.org/TR/fetch-metadata/).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_SAFE = frozenset({"GET", "HEAD"})
_OTHERS = frozenset({"cross-site", "same-site"})
_OWN = frozenset({"127.0.0.1", "localhost", "::1"})


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


class Guard:
    """WSGI middleware in front of everything."""

    def __init__(self, app: WsgiApp, allowed_origins: Sequence[str]) -> None:
        self._app = app
        self.allow(allowed_origins)

    def allow(self, origins: Sequence[str]) -> None:
        """Let pages of these origins connect, besides our own; what is connected stays so."""
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._hosts = _OWN | {host for origin in origins if (host := _host_of(origin))}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, or refuse it."""
        if _host_of(f"//{environ.get('HTTP_HOST', '')}") not in self._hosts:
            return _refuse(start_response, "this host name is not one of [web] allowed_origins in gateway.toml")
        if self._is_foreign(environ):
            return _refuse(start_response, "a page of another origin may lead here, but not use this from afar")
        if _changes_something(environ) and not self.allows_origin(environ.get("HTTP_ORIGIN"), environ):
            return _refuse(start_response, "a page of another origin may not change anything here")
        # permessage-deflate would cost more CPU a message than all else (docs/traps.md 4.2)
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return self._app(environ, start_response)

    def _is_foreign(self, environ: Environ) -> bool:
        """Tell whether a page of another site asks, for more than to be replaced by one of ours."""
        if environ.get("HTTP_SEC_FETCH_SITE") not in _OTHERS:
            return False
        leads_here = environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and _is_page(environ)
        return not leads_here and environ.get("HTTP_ORIGIN", "").rstrip("/") not in self._origins

    def allows_origin(self, origin: str | None, environ: Environ) -> bool:
        """Tell whether a page from ``origin`` may use Socket.IO and change things; a program sends none."""
        if origin is None or origin.rstrip("/") in self._origins:
            return True
        # behind a proxy that ends TLS the scheme differs, the host doesn't
        try:
            return urlsplit(origin).netloc == environ.get("HTTP_HOST")
        except ValueError:
            return False


def _is_page(environ: Environ) -> bool:
    return not environ.get("PATH_INFO", "").startswith(("/socket.io/", "/api/"))


def _changes_something(environ: Environ) -> bool:
    """Tell whether a page must not do this unasked; Socket.IO looks at the origin of its own requests itself."""
    return environ.get("REQUEST_METHOD") not in _SAFE and not environ.get("PATH_INFO", "").startswith("/socket.io/")


def _refuse(start_response: Callable[..., Any], reason: str) -> Iterable[bytes]:
    start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{reason}\n".encode()]


CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
