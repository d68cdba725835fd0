"""For viewers who asked for fewer packets: the newest, and the extremes of what came in between."""

from collections.abc import Iterator, Sequence
from math import ceil

from gateway.live import packets
from gateway.live.waiting import Packet
from gateway.model import Reading

_STEP_S = 0.05
"""Intervals are multiples of this, so that viewers who ask for nearly the same share a room."""
_MOST_METRICS = 256
_MOST_BYTES = 64 * 1024
"""Of a packet: with hundreds of metrics the extremes of as many as fit are kept."""

_Seen = tuple[float, int, Reading]
"""A metric's value, and in which reading, by its number."""


def interval_s(max_hz: float | None) -> float:
    """Return the seconds between packets with which there are at most ``max_hz`` a second; None: 0."""
    return 0.0 if max_hz is None else round(ceil(1 / max_hz / _STEP_S - 1e-6) * _STEP_S, 2)


class Thinned:
    """Waits for a room as the newest reading of a device, and those in which a metric was least or greatest."""

    is_full = False
    """It is bounded by itself."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._begin()

    def _begin(self) -> None:
        self._count = 0
        self._first: int | None = None
        self._last: int | None = None
        self._newest: list[Reading] = []
        self._least: dict[str, _Seen] = {}
        self._greatest: dict[str, _Seen] = {}

    def add(self, readings: Sequence[Reading]) -> None:
        """Take more."""
        for reading in readings:
            self._count += 1
            self._compare(reading)
            if reading.seq is not None:
                self._first, self._last = self._first or reading.seq, reading.seq
        self._newest = [readings[-1]]

    def _compare(self, reading: Reading) -> None:
        """Look for extremes in numbers and booleans: a door that was open for one reading is one, too."""
        for name, value in reading.values.items():
            if isinstance(value, str):
                continue
            seen = (value, self._count, reading)
            if name not in self._least:
                if len(self._least) < _MOST_METRICS:
                    self._least[name] = self._greatest[name] = seen
            elif value < self._least[name][0]:
                self._least[name] = seen
            elif value > self._greatest[name][0]:
                self._greatest[name] = seen

    def take(self) -> Sequence[Packet]:
        """Give away what is to be sent of them."""
        if not self._count:
            return []
        kept = self._kept()
        thinned = (self._first, self._last) if len(kept) < self._count else None
        wires = [kept[number].wire() for number in sorted(kept)]
        packet = Packet(packets.readings(self._device, wires, thinned), self._last)
        self._begin()
        return [packet]

    def _kept(self) -> dict[int, Reading]:
        kept: dict[int, Reading] = {}
        size = 0
        for number, reading in self._by_weight():
            size += len(reading.body)
            if kept and size > _MOST_BYTES:
                break
            kept[number] = reading
        return kept

    def _by_weight(self) -> Iterator[tuple[int, Reading]]:
        yield self._count, self._newest[-1]
        for name, (_, number, reading) in self._least.items():
            yield number, reading
            yield self._greatest[name][1:]
