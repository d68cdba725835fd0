"""The daemon as something that can be ended before it is ready."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.ports import wait_until

GATEWAYD = (sys.executable, "-m", "gateway")


class Mortal(Daemon):
    """``Daemon`` that is started without waiting for it, and by another command where one is given."""

    def __init__(self, directory: Path, tables: str, *, command: Sequence[str] = GATEWAYD) -> None:
        super().__init__(directory, tables)
        self._command = [*command, "--config", str(self.config)]
        self._ready_before = 0

    def launch(self) -> None:
        """Start it, and come back at once."""
        self._ready_before = self._times_ready()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def wait_ready(self) -> None:
        """Wait for the line that says it is ready."""
        wait_until(lambda: self._alive() and self._times_ready() > self._ready_before, "it is ready", timeout_s=30.0)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def _times_ready(self) -> int:
        return self.log.count("ready on http://") if self._log.exists() else 0
