"""Free ports on the loopback, and waiting for what uses them."""

import random
import socket
import time
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
_FIRST, _END = 15_000, 32_000
"""Below the ephemeral range, so that no outgoing connection takes the port in between."""


def free_port() -> int:
    """Return a port on which nobody listens now."""
    for port in random.sample(range(_FIRST, _END), k=200):
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port found")


def accepts(port: int) -> bool:
    """Tell whether somebody accepts connections on ``port``."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], object], what: str, *, timeout_s: float = 10.0) -> None:
    """Return as soon as ``condition`` holds; fail with ``what`` after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s in vain for: {what}"
        time.sleep(0.01)
