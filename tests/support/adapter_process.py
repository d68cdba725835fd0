"""One adapter in a process of its own, made green as the daemon's is; ``adapter_host`` is the other side."""

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
DEADLINE_S = 15.0


class AdapterProcess:
    """Starts and stops ``run``, and keeps all that the adapter says; a context manager.

    Parameters
    ----------
    table
        The adapter's table in gateway.toml.
    settle
        Whether each message is settled as soon as it comes.
    env
        More environment variables.
    """

    def __init__(
        self, table: Mapping[str, object], *, settle: bool = True, env: Mapping[str, str] | None = None
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self._command = [
            sys.executable,
            "-m",
            "tests.support.adapter_host",
            json.dumps(dict(table)),
            json.dumps(settle),
        ]
        self._env = {**os.environ, **(env or {})}
        self._unread = b""
        self._runs = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=pipe, stdout=pipe, env=self._env)
        try:
            self.wait(lambda: self.count("ready"), "the process is ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    def run(self) -> None:
        """Call ``run``, and don't wait."""
        self._runs += 1
        self.do("run")

    def run_until_up(self) -> None:
        """Call ``run``, and wait until the connection stands."""
        before = self.count("up")
        self.run()
        self.wait(lambda: self.count("up") > before or self._ended(), "the adapter is up")
        assert self.count("up") > before, self.events[-1]

    def stop(self) -> float:
        """Set ``stop``; return seconds until ``run`` returned."""
        start = time.monotonic()
        self.do("stop")
        self.wait(self._ended, "run returns after stop")
        assert self.events[-1].get("error") is None, self.events[-1]
        return time.monotonic() - start

    def settle(self) -> None:
        """Settle all messages that have come, those that were settled before, too."""
        before = self.count("settled")
        self.do("settle")
        self.wait(lambda: self.count("settled") > before, "settle returns")
        assert self.events[-1].get("error") is None, self.events[-1]

    def wait_down(self) -> str:
        """Wait until ``run`` raised ``AdapterDown``; return what it said."""
        self.wait(self._ended, "run raises AdapterDown")
        assert self.events[-1]["kind"] == "AdapterDown", self.events[-1]
        return str(self.events[-1]["error"])

    def wait_messages(self, number: int) -> list[dict[str, Any]]:
        """Wait until ``number`` messages have come; return all."""
        self.wait(lambda: len(self.messages) >= number, f"{number} messages, not just {len(self.messages)}")
        return self.messages

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Read what the adapter says until ``condition`` holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            self._read(deadline - time.monotonic(), what)

    def settled_down(self, quiet_s: float = 0.3) -> None:
        """Read on until nothing has come for ``quiet_s``."""
        assert self._process is not None
        assert self._process.stdout is not None
        while select.select([self._process.stdout], [], [], quiet_s)[0]:
            self._read(1.0, "more")

    def count(self, event: str) -> int:
        """Return how often ``event`` has happened."""
        return sum(each["event"] == event for each in self.events)

    def do(self, command: str) -> None:
        """Give a command to the other side."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()

    def probe(self) -> str:
        """Call ``probe``; return what it found, or why it failed."""
        before = self.count("probed")
        self.do("probe")
        self.wait(lambda: self.count("probed") > before, "probe returns")
        return str(self.events[-1]["found"])

    def refresh(self) -> object:
        """Call ``refresh``, and return what it returned."""
        before = self.count("refreshed")
        self.do("refresh")
        self.wait(lambda: self.count("refreshed") > before, "refresh returns")
        return next(event["found"] for event in reversed(self.events) if event["event"] == "refreshed")

    def _ended(self) -> bool:
        return self.count("ended") == self._runs

    def _read(self, timeout_s: float, what: str) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        readable = timeout_s > 0 and select.select([self._process.stdout], [], [], timeout_s)[0]
        assert readable, f"waited in vain for: {what}; so far {self.events[-3:]}"
        data = os.read(self._process.stdout.fileno(), 1 << 20)
        assert data, f"the process ended while waiting for: {what}"
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in map(json.loads, lines):
            if line["event"] == "message":
                line["payload"] = base64.b64decode(line["payload"])
                line["topic"] = base64.b64decode(line["topic"])
                self.messages.append(line)
            else:
                self.events.append(line)
