"""A sensor on a virtual serial port that counts, and proves with each line that the line is whole."""

import random
import threading
from pathlib import Path
from typing import Self

from tests.support.ptys import VirtualPort

COLUMNS = '"n", "check"'


def check_digits(number: int) -> int:
    """Return what stands beside ``number`` on its line; a cut line has something else."""
    return number * 7919 % 9973


class CountingSensor:
    """Writes numbered lines, and is now and then unplugged and plugged in again; a context manager."""

    def __init__(self, link: Path, chance: random.Random, *, rate: float = 20.0, unplugging: float = 0.0) -> None:
        self.port = VirtualPort(link)
        self.written = 0
        self.replugged = 0
        self._chance, self._wait_s, self._unplugging = chance, 1 / rate, unplugging
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.port.plug()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.port.unplug()

    def stop(self) -> None:
        """Write no more."""
        self._stop.set()
        self._thread.join(15.0)

    def _run(self) -> None:
        while not self._stop.wait(self._wait_s):
            if self._chance.random() < self._unplugging:
                self.port.unplug()
                self._stop.wait(self._chance.uniform(0.0, 0.5))
                self.port.plug()
                self.replugged += 1
            number = self.written + 1
            self.port.write(b"%d,%d\n" % (number, check_digits(number)))
            self.written = number
