"""The demo as a process of its own, as somebody starts it."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Self

from tests.support.ports import free_port, wait_until

_START = """
import shutil
from gateway.cli import main

found = shutil.which
shutil.which = lambda name, **options: None if name in {hidden!r} else found(name, **options)
main()
"""
_TIMEOUT_S = 60.0


class Demo:
    """``gatewayctl demo`` in ``folder``; a context manager that leaves nothing running.

    Parameters
    ----------
    options
        More of its command line.
    port
        Of the page; default: a free one.
    hidden
        Programs that it doesn't find on this machine.
    """

    def __init__(self, folder: Path, *options: str, port: int | None = None, hidden: Collection[str] = ()) -> None:
        self.folder = folder
        self._output = folder.with_suffix(".out")
        self._command = [
            sys.executable,
            "-P",
            "-c",
            _START.format(hidden=tuple(hidden)),
            "demo",
            "--state-dir",
            str(folder),
        ]
        self._command += ["--port", str(port or free_port()), *options]
        self.process: subprocess.Popen[bytes] | None = None
        self.children: list[int] = []

    def __enter__(self) -> Self:
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(self._command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_TIMEOUT_S)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text()

    def wait_ready(self) -> str:
        """Wait until it prints the page's address; return that."""
        wait_until(lambda: "Ctrl-C" in self.output or self.process.poll() is not None, "the demo", timeout_s=_TIMEOUT_S)
        address = re.search(r"^ +(http://127\.0\.0\.1:\d+/)$", self.output, re.MULTILINE)
        assert address, f"no address in:\n{self.output}"
        self.children = _children(self.process.pid)
        return address[1]

    def end(self, number: signal.Signals) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_TIMEOUT_S)

    def wait_alone(self) -> None:
        """Wait until nothing runs any more that it had started."""
        end = time.monotonic() + _TIMEOUT_S
        while left := [pid for pid in self.children if _runs(pid)]:
            assert time.monotonic() < end, f"left running: {left}"
            time.sleep(0.05)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # a zombie only waits to be taken note of
