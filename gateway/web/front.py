"""What stands between a browser and what answers, put together: door, guard, crowd, and Socket.IO."""

from typing import Any

from gateway.chores import Chores
from gateway.runtime import Event, Task, spawn
from gateway.settings import WebSettings
from gateway.web import app, server
from gateway.web.addresses import Addresses
from gateway.web.answers import Answers
from gateway.web.crowd import Crowd
from gateway.web.door import Door
from gateway.web.guard import Guard
from gateway.web.sockets import create

_CONNECTIONS_A_CLIENT = 2
"""One that polls has one to ask and one to tell."""


class Front:
    """The web side up to the routes; ``app`` and ``socketio`` are for whoever has something to show."""

    def __init__(self, web: WebSettings) -> None:
        self._web = web
        self._door: Door | None = None
        self._addresses = Addresses(web.trusted_proxies)
        self.app = app.create()
        self.guard = Guard(self.app, web.allowed_origins)
        self.socketio = create(self.app, self.guard.allows_origin)
        bounds = web.max_clients, web.max_clients_per_address
        self._crowd = Crowd(self.app.wsgi_app, self.socketio.server, *bounds, self._addresses)
        self.app.wsgi_app = self._crowd  # type: ignore[method-assign]  # as Flask's documentation has it

    def listen(self) -> Any:
        """Return a listening socket; raises CannotStart."""
        return server.listen(self._web.host, self._web.port)

    def serve(self, listener: Any, stop: Event, chores: Chores) -> Task:
        """Begin to serve."""
        spawn(self._crowd.run, stop, chores)
        self._door = Door(listener, *_connections(self._web), self._addresses.of_peer)
        return spawn(server.serve, self._door, Answers(self.guard), chores)

    def limit(self, web: WebSettings) -> None:
        """Let other bounds and proxies hold for whoever comes from now on; who is connected stays."""
        self._addresses.trust(web.trusted_proxies)
        self._crowd.bound(web.max_clients, web.max_clients_per_address)
        if self._door is not None:
            self._door.bound(*_connections(web))


def _connections(web: WebSettings) -> tuple[int, int]:
    """Return how many may be open, in all and from one address; the process then has files for them."""
    most = server.room_for(_CONNECTIONS_A_CLIENT * web.max_clients)
    return most, _CONNECTIONS_A_CLIENT * web.max_clients_per_address
