"""A sensor on a virtual serial port: a pseudo-terminal behind a stable link, with CSV lines coming out."""

import contextlib
import os
import tty
from pathlib import Path

from gateway.cli.demo.curves import Curve

PERIOD_S = 0.4


class SerialSensor:
    """Light and air pressure, as an Arduino prints them: ``18250,1013.2``.

    Parameters
    ----------
    link
        The port's path; appears when the port can be opened.
    """

    def __init__(self, link: Path) -> None:
        self._link = link
        self._light = Curve(mean=18000.0, swing=15000.0, noise=150.0)
        self._pressure = Curve(mean=1013.0, swing=4.0, noise=0.05, phase=0.4)
        self._fd = -1

    def open(self) -> None:
        """Make the port."""
        self._fd, port = os.openpty()
        tty.setraw(port)
        os.set_blocking(self._fd, False)
        self._link.symlink_to(os.ttyname(port))
        # Not held open here: exclusive use, which the gateway asks for, has to end with the gateway.
        os.close(port)

    def write(self, time_s: float) -> None:
        """Send a line; what nobody reads is lost, as on a wire."""
        line = f"{max(0.0, self._light.at(time_s)):.0f},{self._pressure.at(time_s):.1f}\r\n"
        with contextlib.suppress(BlockingIOError):
            os.write(self._fd, line.encode())

    def close(self) -> None:
        """Take the port away."""
        self._link.unlink(missing_ok=True)
        os.close(self._fd)
