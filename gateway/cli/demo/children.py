"""Child processes that end with their parent, however it ends."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

_STOP_TIMEOUT_S = 10.0
_LOG_LINES_SHOWN = 12


class DemoFailed(Exception):
    """The demo can't go on; the message says why, for people."""


class Children:
    """Processes with a log file each, stopped in reverse order.

    Parameters
    ----------
    folder
        Where ``NAME.log`` goes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process, in a session of its own: Ctrl-C reaches only the parent, which stops it in order."""
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  commands of the demo's own
                [*_end_with_parent(), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        self._running.append((name, process))

    def check(self) -> None:
        """Raise ``DemoFailed`` with the end of its log if one is gone."""
        for name, process in self._running:
            if process.poll() is not None:
                raise DemoFailed(
                    f"{name} ended ({process.returncode}). The end of {self._log(name)}:\n{self._tail(name)}"
                )

    def stop(self) -> None:
        """End all, the youngest first; who doesn't end in time is killed."""
        while self._running:
            _, process = self._running.pop()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _tail(self, name: str) -> str:
        with contextlib.suppress(OSError):
            lines = self._log(name).read_text("utf-8", "replace").splitlines()
            return "\n".join(lines[-_LOG_LINES_SHOWN:])
        return ""


def _end_with_parent() -> list[str]:
    """Return what makes the kernel end a command with its parent, even after ``kill -9`` (util-linux has it)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
