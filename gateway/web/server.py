"""Listening and serving: one TCP address for browsers, one Unix socket for gatewayctl."""

import itertools
import logging
import os
import resource
import socket as constants
from functools import partial
from pathlib import Path
from typing import Any

import eventlet
import eventlet.wsgi
from eventlet.green import socket

from gateway.chores import Chores
from gateway.errors import CannotStart
from gateway.runtime import spawn
from gateway.web.door import Door
from gateway.web.guard import WsgiApp
from gateway.web.protocol import Protocol
from gateway.web.wsgi_log import WsgiLog

log = logging.getLogger(__name__)

_BACKLOG = 512
_SEND_BUFFER_BYTES = 128 * 1024
"""In the kernel, a connection; left to itself it takes megabytes for a client that doesn't read."""
_RECEIVE_BUFFER_BYTES = 64 * 1024
"""What a client sends faster than it is handled waits there; left to itself it grows to megabytes."""
_REQUEST_TIMEOUT_S = 30
_MOST_URL_BYTES = 2048
_NO_BOUND = 1_000_000
_OTHER_FILES = 100
"""The journal's, the sources', those that Python opens for a moment."""
_MOST_CONTROLS = 64
_CONTROL_MODE = 0o660


def listen(host: str, port: int) -> Any:
    """Return a listening socket; never shares its port (docs/traps.md 5.2).

    Raises
    ------
    CannotStart
        The address is in use, or not of this machine.
    """
    family = constants.AF_INET6 if ":" in host else constants.AF_INET
    listener = socket.socket(family, constants.SOCK_STREAM)
    listener.setsockopt(constants.SOL_SOCKET, constants.SO_REUSEADDR, 1)
    listener.setsockopt(constants.SOL_SOCKET, constants.SO_SNDBUF, _SEND_BUFFER_BYTES)
    listener.setsockopt(constants.SOL_SOCKET, constants.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise CannotStart(f"can't listen on {host} port {port} ([web] in gateway.toml): {error.strerror}") from error
    listener.listen(_BACKLOG)
    return listener


def url_of(listener: Any) -> str:
    """Return the address of the page."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def listen_unix(path: Path) -> "UnixListener":
    """Return a listening Unix socket that owner and group may use; the journal's lock guards the path."""
    listener = socket.socket(constants.AF_UNIX, constants.SOCK_STREAM)
    before = os.umask(0o777 & ~_CONTROL_MODE)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError as error:
        raise CannotStart(f"can't make the control socket {path}: {error}; a shorter state_dir may help") from error
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    return UnixListener(listener)


def listen_for_control(path: Path, notes: list[str], *, needed: bool) -> "UnixListener | None":
    """Return a listener, or None and a note for status where there can't be one, and it isn't ``needed``.

    It isn't where the disk, which takes no socket, takes no readings either. Raises ``CannotStart`` where it is.
    """
    try:
        return listen_unix(path)
    except CannotStart as error:
        if needed:
            raise
        log.error("%s", error)  # noqa: TRY400  words for people; the traceback says nothing more
        notes.append(f"{error}: gatewayctl can't reach this gateway before its next start")
        return None


class UnixListener:
    """Gives each connection an address of its own: eventlet's wsgi tells them apart by it (docs/traps.md 5.5)."""

    def __init__(self, listener: Any) -> None:
        self._listener = listener
        self._numbers = itertools.count(1)

    def accept(self) -> tuple[Any, tuple[str, int]]:
        """Accept a connection."""
        connection, _ = self._listener.accept()
        return connection, ("control", next(self._numbers))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


def control_door(listener: UnixListener) -> Door:
    """Return the door of the control socket, where nobody is counted by address."""
    return Door(listener, _MOST_CONTROLS, _MOST_CONTROLS, lambda _: None)


def room_for(connections: int) -> int:
    """Let this process have files for so many connections, and its own; return for how many there are."""
    own, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if own < wanted and own != resource.RLIM_INFINITY:
        own = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (own, allowed))
    if own == resource.RLIM_INFINITY or own >= wanted:
        return connections
    log.warning("at most %d connections, as the system allows this process %d files", own - _OTHER_FILES, own)
    return max(1, own - _OTHER_FILES)


def serve(door: Door, app: WsgiApp, chores: Chores) -> None:
    """Serve until killed; a green thread's body."""
    spawn(door.run, chores)
    eventlet.wsgi.server(
        door,
        app,
        log=WsgiLog(),
        log_format="",
        debug=False,  # a client never sees a traceback (docs/traps.md 5.1)
        keepalive=_REQUEST_TIMEOUT_S,
        socket_timeout=_REQUEST_TIMEOUT_S,
        url_length_limit=_MOST_URL_BYTES,
        protocol=partial(Protocol, door),
        max_size=_NO_BOUND,  # the door has one, and doesn't let all wait when it is reached
    )
