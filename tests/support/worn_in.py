"""A gateway on which attacks are tried: what grows in it, or holds it up, is their doing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.ports import wait_until
from tests.support.raw_client import RawClient


@contextmanager
def worn_in(directory: Path, *, devices: int, interval: str, more: str = "") -> Iterator[Daemon]:
    """Give one whose invented devices are known, and which has loaded what it loads on first use.

    ``more``: tables of its configuration.
    """
    table = f'[[adapters]]\nname = "pretend"\ntype = "simulator"\ndevices = {devices}\ninterval = "{interval}"\n'
    with Daemon(directory, more + table) as daemon:
        daemon.wait_up("pretend")
        wait_until(lambda: daemon.get("/api/v1/status")["devices"] == devices, "its devices are known")
        with RawClient(daemon.port) as first:
            first.join("x")
        yield daemon
