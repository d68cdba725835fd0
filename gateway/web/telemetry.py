"""Namespace /telemetry: join, leave, overview; every event is acknowledged, also a wrong one."""

import logging
from collections.abc import Callable
from typing import Annotated, Any

from flask_socketio import Namespace
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway import overview
from gateway.live import TooManyDevices
from gateway.model import DeviceId
from gateway.runtime import now, spawn
from gateway.web.services import Services
from gateway.web.sockets import NAMESPACE, Sockets, device_room

log = logging.getLogger(__name__)

_Seq = Annotated[int, Field(strict=True, ge=0, le=2**62)]
_MOST_KEYS = 16
"""Of a request; each that is unknown makes an error of its own, and thousands of them kept the hub for 20 ms."""
Ack = dict[str, object]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JoinRequest(_Request):
    """``join``: from ``since`` on, else the last ``backlog`` readings; then at most ``max_hz`` packets a second."""

    device: DeviceId
    since: _Seq | None = None
    backlog: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 1
    max_hz: Annotated[float, Field(strict=True, ge=0.1, le=1000)] | None = None


class LeaveRequest(_Request):
    """``leave``."""

    device: DeviceId


class OverviewRequest(_Request):
    """``overview``: nothing to say."""


class Telemetry(Namespace):  # type: ignore[misc]  # flask_socketio has no types
    """Parses at the door with pydantic, and hands on to live and overview."""

    def __init__(self, services: Services, sockets: Sockets) -> None:
        super().__init__(NAMESPACE)
        self._services = services
        self._sockets = sockets
        self._handlers: dict[str, tuple[type[_Request], Callable[[str, Any], Ack]]] = {
            "join": (JoinRequest, self._join),
            "leave": (LeaveRequest, self._leave),
            "overview": (OverviewRequest, self._overview),
        }

    def trigger_event(self, event: str, *args: Any) -> Ack | None:
        """Dispatch an event; overridden so that unknown and malformed ones are acknowledged too.

        Flask-SocketIO's own dispatch calls a handler again without arguments after a TypeError
        (docs/traps.md 4.8), and lets an unknown event's acknowledgement never come.
        """
        viewer, *data = args
        if event == "connect":
            spawn(self._hello, viewer)  # from a green thread: after the CONNECT packet
            return None
        if event == "disconnect":
            self._services.live.gone(viewer)
            return None
        return self._answer(event, viewer, data)

    def _answer(self, event: str, viewer: str, data: list[Any]) -> Ack:
        if event not in self._handlers:
            return _refusal("bad_request", f"unknown event {event!r}; known: {', '.join(self._handlers)}")
        model, handler = self._handlers[event]
        request = data[0] if data else {}
        if isinstance(request, dict) and len(request) > _MOST_KEYS:
            return _refusal("bad_request", f"a request has at most {_MOST_KEYS} keys")
        try:
            return handler(viewer, model.model_validate(request))
        except ValidationError as error:
            return _refusal("bad_request", _in_words(error))
        except TooManyDevices as error:
            return _refusal("too_many", str(error))
        except Exception:
            log.exception("answering %s failed", event)
            return _refusal("bad_request", "the gateway failed to answer; its log says why")

    def _hello(self, viewer: str) -> None:
        hello = {"gateway": self._services.name(), "version": self._services.version, "time": now()}
        self._sockets.send(viewer, "hello", hello)

    def _join(self, viewer: str, request: JoinRequest) -> Ack:
        device = self._services.devices.describe(request.device)
        seq = self._services.live.join(viewer, request.device, request.since, request.backlog, request.max_hz)
        return {"ok": True, "room": device_room(request.device), "device": device, "seq": seq}

    def _leave(self, viewer: str, request: LeaveRequest) -> Ack:
        self._services.live.leave(viewer, request.device)
        return {"ok": True}

    def _overview(self, viewer: str, _: OverviewRequest) -> Ack:
        self.enter_room(viewer, overview.ROOM)
        return {"ok": True, "devices": self._services.devices.describe_all()}

    def enter_room(self, viewer: str, room: str) -> None:
        """Put a viewer into a room of this namespace."""
        self.socketio.server.enter_room(viewer, room, namespace=self.namespace)


def _refusal(code: str, message: str) -> Ack:
    return {"ok": False, "error": {"code": code, "message": message}}


def _in_words(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])
