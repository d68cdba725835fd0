"""Where the numbers (``seq``) of each device stand; hub thread only."""

from collections.abc import Mapping


class Numbers:
    """The newest one of each device, and which a leap has skipped: after damage, or in a journal that was restored."""

    def __init__(self) -> None:
        self._reached: dict[str, int] = {}
        self._resume: Mapping[str, int] = {}
        self._kept: dict[str, int] = {}

    def reached(self, device: str, seq: int) -> None:
        """Know a device's newest reading."""
        self._reached[device] = seq

    def resume(self, after: Mapping[str, int], kept: Mapping[str, int]) -> None:
        """Know past which ``seq`` devices go on, by name; ``""``: all others of which no reading is known.

        ``kept``: the last reading before that of those that have gone on since.
        """
        self._resume = after
        self._kept = dict(kept) | {name: seq for name, seq in self._reached.items() if seq < after.get(name, 0)}

    def newest(self, device: str) -> int:
        """Return the newest ``seq``, or past which the first one will be."""
        reached = self._reached.get(device)
        return self._begin(device) if reached is None else max(reached, self._resume.get(device, 0))

    def ago(self, device: str, backlog: int) -> int:
        """Return after which ``seq`` the last ``backlog`` readings come; numbers that a leap skipped are none."""
        newest, begin = self.newest(device), self._begin(device)
        missing = backlog - (newest - begin)
        if device in self._kept and missing > 0:
            return max(self._kept[device] - missing, 0)
        return max(newest - backlog, begin if begin <= newest else 0)

    def _begin(self, device: str) -> int:
        return self._resume.get(device, self._resume.get("", 0))
