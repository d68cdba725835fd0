"""Free TCP ports of the loopback."""

import socket
from collections.abc import Iterable

from gateway.cli.demo.children import DemoFailed

LOOPBACK = "127.0.0.1"
_INSTEAD = range(18080, 18180)
"""Below the ephemeral ports, so that no outgoing connection takes one in between."""


def is_free(port: int) -> bool:
    """Tell whether ``port`` can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose_port(wanted: int, instead: Iterable[int] = _INSTEAD) -> int:
    """Return ``wanted`` if it is free, else the first free one of ``instead``.

    Raises
    ------
    DemoFailed
        None of them is free.
    """
    for port in (wanted, *instead):
        if is_free(port):
            return port
    raise DemoFailed(f"no free port at {LOOPBACK}: tried {wanted} and others")
