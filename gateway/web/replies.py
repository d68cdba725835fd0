"""JSON replies, and errors in the one shape of docs/contract.md: never a traceback."""

import logging
from http import HTTPStatus

import orjson
from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException, NotFound

from gateway.errors import JournalDown

log = logging.getLogger(__name__)

_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    503: "unavailable",
}
_NOTHING_THERE = "The gateway has nothing at this address."


def reply(payload: object, status: int = 200) -> Response:
    """Return ``payload`` as JSON."""
    return Response(orjson.dumps(payload), status, content_type="application/json")


def fail(status: int, message: str) -> Response:
    """Return an error: JSON under /api, a page for a browser, else plain text."""
    if request.path.startswith("/api/"):
        return reply({"error": {"code": _CODES.get(status, "error"), "message": message}}, status)
    if _is_browser():
        title = HTTPStatus(status).phrase
        return Response(render_template("error.html", status=status, title=title, message=message), status)
    return Response(f"{message}\n", status, content_type="text/plain; charset=utf-8")


def _is_browser() -> bool:
    """Tell whether HTML is asked for by name: a program that takes anything reads text better.

    The control socket's app has no pages.
    """
    wanted = request.accept_mimetypes.best_match(["text/plain", "text/html"])
    return current_app.has_static_folder and wanted == "text/html"


def handle_errors(app: Flask) -> None:
    """Let ``app`` answer every failure with ``fail``."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        text = _NOTHING_THERE if error.description == NotFound.description else error.description
        return fail(error.code or 500, text or error.name)

    @app.errorhandler(JournalDown)
    def unreadable(error: JournalDown) -> Response:
        return fail(503, str(error))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return fail(500, "the gateway failed to answer; its log says why")
