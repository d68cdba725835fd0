"""Waiting for what was started."""

import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException

from gateway.cli.demo.children import Children, DemoFailed
from gateway.cli.demo.ports import LOOPBACK

_LOOK_EVERY_S = 0.05


def wait_for(ready: Callable[[], bool], what: str, children: Children, timeout_s: float) -> None:
    """Return as soon as ``ready()`` holds.

    Raises
    ------
    DemoFailed
        A child ended meanwhile, or ``timeout_s`` are over.
    """
    end = time.monotonic() + timeout_s
    while not ready():
        children.check()
        if time.monotonic() > end:
            raise DemoFailed(f"{what} wasn't there after {timeout_s:g} s")
        time.sleep(_LOOK_EVERY_S)


def accepts(port: int) -> bool:
    """Tell whether somebody listens on ``port``."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def is_ready(port: int) -> bool:
    """Tell whether the gateway behind ``port`` takes and keeps readings."""
    connection = HTTPConnection(LOOPBACK, port, timeout=2.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
