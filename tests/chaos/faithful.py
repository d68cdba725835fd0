"""A viewer that comes back by itself, and the proof that it missed nothing."""

import json
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

from tests.support.viewers import node

_ROOT = Path(__file__).parents[2]
_SCRIPT = Path(__file__).with_name("faithful.mjs")

IMPATIENT = {"reconnectionDelay": 50, "reconnectionDelayMax": 250, "timeout": 2000}
"""The client's defaults wait 1 to 5 s before they come back, longer than a daemon lives here."""


class Faithful:
    """The official client under Node, rejoining each device with ``since``; a context manager.

    ``events`` has all that it was told, in order: see ``faithful.mjs``.
    """

    def __init__(self, url: str, *devices: str, options: dict[str, Any] | None = None) -> None:
        self.events: list[list[Any]] = []
        self._arguments = [url, json.dumps(options or {}), *devices]

    def __enter__(self) -> Self:
        command = [node(), str(_SCRIPT), *self._arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=5.0)
        self._reader.join(5.0)
        self._process.stdout.close()

    @property
    def connections(self) -> int:
        """How often it connected."""
        return sum(event[0] == "connect" for event in list(self.events))

    def newest(self, device: str) -> int:
        """Return the last ``seq`` that it was sent or told of."""
        return max((known for _, known in _positions(list(self.events), device)), default=0)

    def readings(self, device: str) -> list[dict[str, Any]]:
        """Return every reading of ``device`` that it was sent, those without ``seq`` too."""
        return [each for event in list(self.events) if event[:2] == ["readings", device] for each in event[2]]

    def gaps(self) -> list[list[Any]]:
        """Return the gaps that it was told of."""
        return [event for event in list(self.events) if event[0] == "gap"]

    def check_unbroken(self, device: str) -> int:
        """Check that each ``seq`` came in its turn, or a gap named it; return how many came.

        A viewer that joins again asks for what follows its position, so that over all its
        connections each comes exactly once.
        """
        expected = 1
        for at, (first, last) in enumerate(_positions(list(self.events), device)):
            assert first == expected, f"{device}: {first} came where {expected} was due, event {at}"
            expected = last + 1
        return expected - 1

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # else it was killed amid a line
                self.events.append(json.loads(line))


def _positions(events: list[list[Any]], device: str) -> list[tuple[int, int]]:
    """Return the stretches of ``seq`` that a viewer came to know, in the order in which it did."""
    found: list[tuple[int, int]] = []
    for kind, *event in events:
        if kind == "readings" and event[0] == device:
            found += [(each["seq"], each["seq"]) for each in event[1] if each["seq"] is not None]
        elif kind == "gap" and event[0] == device:
            found.append((event[1], event[2]))
    return found
