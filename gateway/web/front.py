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
        most = server.room_for(_CONNECTIONS_A_CLIENT * self._web.max_clients)
        each = _CONNECTIONS_A_CLIENT * self._web.max_clients_per_address
        door = Door(listener, most, each, self._addresses.of_peer)
        return spawn(server.serve, door, Answers(self.guard), chores)
