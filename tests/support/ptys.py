"""A virtual serial port: a pseudo-terminal behind a stable link."""

import os
import select
import tty
from pathlib import Path
from typing import Self


class VirtualPort:
    """What is plugged in at ``link``, as udev would make it; a context manager.

    The test holds the sensor's end. It doesn't hold the gateway's end open: what one process
    leaves set on a terminal (exclusive use, line settings) then ends with that process, as on a
    real port.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self._sensor: int | None = None

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def plug(self) -> None:
        """Make a new terminal, as the kernel does for a device that is plugged in."""
        self._sensor, port = os.openpty()
        tty.setraw(port)
        os.set_blocking(self._sensor, False)
        self.link.symlink_to(os.ttyname(port))
        os.close(port)

    def unplug(self) -> None:
        """Take it away: who has it open gets a hang-up, and the link is gone."""
        if self._sensor is not None:
            self.link.unlink()
            os.close(self._sensor)
            self._sensor = None

    def write(self, data: bytes, *, timeout_s: float = 10.0) -> None:
        """Send ``data`` as the sensor; waits while the reader is behind."""
        assert self._sensor is not None, "nothing is plugged in"
        while data:
            assert select.select([], [self._sensor], [], timeout_s)[1], "nobody reads the port"
            data = data[os.write(self._sensor, data) :]
