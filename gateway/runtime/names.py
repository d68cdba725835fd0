"""Looking host names up without stopping the hub."""

import socket
from typing import Any

import eventlet
import eventlet.green.socket
import eventlet.patcher

from gateway.runtime.worker import Worker

_socket = eventlet.patcher.original("socket")


def resolve_in_background(timeout_s: float = 10.0) -> None:
    """Let green sockets look names up in a native thread, with all that libc knows (docs/traps.md 6.4).

    Called once, by the daemon's entry point.
    """
    worker = Worker("resolver")
    look_up = _socket.getaddrinfo

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        with eventlet.Timeout(timeout_s, _socket.gaierror(_socket.EAI_AGAIN, "looking the name up took too long")):
            return worker.call(look_up, *args, **kwargs)

    eventlet.green.socket.getaddrinfo = getaddrinfo
    socket.getaddrinfo = getaddrinfo
