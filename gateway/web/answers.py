"""A bound on what large answers take while their readers take their time."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway.web.door import Connection
from gateway.web.guard import Environ, WsgiApp
from gateway.web.protocol import CONNECTION

_LARGE_BYTES = 64 * 1024
_MOST_BYTES = 32 * 2**20
"""Of large answers that are on their way: four of the largest pages of readings."""


class _Answer:
    """A body that says when it is out, or can't be sent."""

    def __init__(self, body: Iterable[bytes], done: Callable[[], None]) -> None:
        self._body = body
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Let go of it."""
        self._done()
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class Answers:
    """WSGI middleware: past the bound, who has been reading the longest is cut off. Hub thread only."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._under_way: dict[Connection, int] = {}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        size = 0

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal size
            size = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
            return start_response(status, headers, *error)

        body = self._app(environ, start)
        return body if size < _LARGE_BYTES else self._watched(environ[CONNECTION], size, body)

    def _watched(self, connection: Connection, size: int, body: Iterable[bytes]) -> _Answer:
        for reader in list(self._under_way):
            if sum(self._under_way.values()) + size <= _MOST_BYTES:
                break
            del self._under_way[reader]
            reader.end()
        self._under_way[connection] = size

        def done() -> None:
            self._under_way.pop(connection, None)

        return _Answer(body, done)
