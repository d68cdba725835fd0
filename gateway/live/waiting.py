"""What waits on its way to a room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from gateway.live import packets
from gateway.model import Reading

_MOST_PACKET_BYTES = 32 * 1024
"""More of one device goes out in several packets: a part of one may have to be kept for each viewer."""


class Packet(NamedTuple):
    """What goes out in one event."""

    payload: orjson.Fragment
    upto: int | None
    """The last ``seq`` that it accounts for."""


@dataclass(slots=True)
class Waiting:
    """Every reading of a device, in order."""

    device: str
    _readings: list[Reading] = field(default_factory=list)
    _size: int = 0

    @property
    def is_full(self) -> bool:
        """Whether it must go out: it fills a packet."""
        return self._size >= _MOST_PACKET_BYTES

    def add(self, readings: Sequence[Reading]) -> None:
        """Take more."""
        self._readings += readings
        self._size += sum([len(reading.body) for reading in readings])

    def take(self) -> Sequence[Packet]:
        """Give all of them away, in as many packets as they have to be."""
        readings, size = self._readings, self._size
        self._readings, self._size = [], 0
        length = max(1, len(readings) * _MOST_PACKET_BYTES // max(size, _MOST_PACKET_BYTES))
        return [_packet(self.device, readings[start : start + length]) for start in range(0, len(readings), length)]


def _packet(device: str, readings: Sequence[Reading]) -> Packet:
    payload = packets.readings(device, [reading.wire() for reading in readings])
    return Packet(payload, next((reading.seq for reading in reversed(readings) if reading.seq is not None), None))
