"""Viewers: the official socket.io-client under Node, its default options, one process each."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.node import NodeClient

_SCRIPT = Path(__file__).with_name("viewer.mjs")


class Viewer(NodeClient):
    """One connected client; a context manager. ``events`` keeps all that came, in order.

    What an event that it is let ``send`` is acknowledged with comes as event ``ack:EVENT``.
    """

    def __init__(self, url: str, *, namespace: str = "/telemetry") -> None:
        super().__init__(_SCRIPT, url, namespace)
        self.events: list[dict[str, Any]] = []
        self._incoming: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

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

    def _take(self, told: dict[str, Any]) -> None:
        self._incoming.put(told)


def _has(event: dict[str, Any], device: str, seq: int) -> bool:
    data = event["data"]
    return event["event"] == "readings" and data["device"] == device and any(r["seq"] == seq for r in data["readings"])
