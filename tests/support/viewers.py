"""Viewers: the official socket.io-client under Node, its default options, one process each."""

import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parents[2]
_SCRIPT = Path(__file__).with_name("viewer.mjs")


def node() -> str:
    """Return the path of Node: the system's, or the one that set-up installed."""
    found = shutil.which("node") or shutil.which("node", path=_ROOT / ".venv" / "bin")
    assert found, "Node is missing: run make setup"
    return found


class Viewer:
    """One connected client; a context manager. ``events`` keeps all that came, in order."""

    def __init__(self, url: str, *, namespace: str = "/telemetry") -> None:
        self.events: list[dict[str, Any]] = []
        self._arguments = [url, namespace]
        self._incoming: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [node(), str(_SCRIPT), *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=5.0)
        self._reader.join(5.0)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def send(self, event: str, *args: object) -> None:
        """Emit an event; its acknowledgement comes as event ``ack:EVENT``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([event, *args]) + "\n")
        self._process.stdin.flush()

    def ask(self, event: str, *args: object) -> Any:
        """Emit an event and return its acknowledgement."""
        self.send(event, *args)
        return self.wait_for(f"ack:{event}")

    def wait_for(self, event: str, *, timeout_s: float = 15.0) -> Any:
        """Return the data of the next ``event`` that comes."""
        return self.wait_until(lambda one: one["event"] == event, event, timeout_s=timeout_s)["data"]

    def wait_until(
        self, condition: Callable[[dict[str, Any]], bool], what: str, *, timeout_s: float = 15.0
    ) -> dict[str, Any]:
        """Take events in until ``condition`` holds for one, and return it."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                event = self._incoming.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"waited {timeout_s:g} s in vain for: {what}; last: {self.events[-3:]}") from None
            self.events.append(event)
            if condition(event):
                return event

    def readings(self, device: str) -> Iterator[dict[str, Any]]:
        """Yield the readings of ``device`` that came so far."""
        for event in self.events:
            if event["event"] == "readings" and event["data"]["device"] == device:
                yield from event["data"]["readings"]

    def wait_seq(self, device: str, seq: int, *, timeout_s: float = 15.0) -> list[int]:
        """Wait until reading ``seq`` of ``device`` came; return every seq that came, in order."""
        if not any(reading["seq"] == seq for reading in self.readings(device)):
            self.wait_until(lambda event: _has(event, device, seq), f"{device} seq {seq}", timeout_s=timeout_s)
        return [reading["seq"] for reading in self.readings(device)]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # else it was killed amid a line
                self._incoming.put(json.loads(line))


def _has(event: dict[str, Any], device: str, seq: int) -> bool:
    data = event["data"]
    return event["event"] == "readings" and data["device"] == device and any(r["seq"] == seq for r in data["readings"])
