"""A bound on Socket.IO sessions: each takes memory before anybody has said who it is."""

from collections.abc import Callable, Iterable, Sized
from typing import Any
from urllib.parse import parse_qs

from gateway.web.guard import Environ, WsgiApp

MOST_SESSIONS = 1000
"""Far more viewers than a small machine serves, and few enough for its memory; the silent ones go by themselves."""
_PATH = "/socket.io/"


class Crowd:
    """WSGI middleware in front of Socket.IO; those who are in go on.

    Parameters
    ----------
    app
        What answers.
    sessions
        Those that there are.
    """

    def __init__(self, app: WsgiApp, sessions: Sized) -> None:
        self._app = app
        self._sessions = sessions

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, or ask a newcomer to come later."""
        if len(self._sessions) < MOST_SESSIONS or not _is_newcomer(environ):
            return self._app(environ, start_response)
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10")]
        start_response("503 Service Unavailable", headers)
        return [b"%d viewers are connected, the most that this gateway takes; try again later\n" % MOST_SESSIONS]


def _is_newcomer(environ: Environ) -> bool:
    return environ.get("PATH_INFO", "").startswith(_PATH) and "sid" not in parse_qs(environ.get("QUERY_STRING", ""))
