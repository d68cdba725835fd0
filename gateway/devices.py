"""The latest of every device: its last reading, its metrics, its state, its rate."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson

from gateway.interval import Interval
from gateway.model import Reading, Value
from gateway.profiles import MetricInfo, Profile

State = Literal["online", "stale", "offline"]

_RATE_WINDOW_S = 10.0
"""Readings a second are averaged over about this long."""
_STALE = (5.0, 4.0)
_OFFLINE = (30.0, 20.0)
"""Silent for longer than so many seconds, and so many times the normal interval."""

_MOST_METRICS = 1024
"""Described of one device; a sensor that invents names for ever costs no more."""


@dataclass(slots=True)
class Device:
    """One device as DEVICE of CONTRACT.md shows it."""

    id: str
    source: str
    interval: Interval
    last_seen: float = 0.0
    """Unix seconds of the last arrival."""
    last: bytes | None = None
    """The last reading's JSON."""
    state: State = "online"
    latest: dict[str, Value] = field(default_factory=dict)
    """The newest value of each metric: not every reading has them all."""
    metrics: dict[str, dict[str, object]] = field(default_factory=dict)
    _weight: float = 0.0
    _since: float = 0.0

    def arrived(self, count: int, at: float) -> None:
        """Count readings at ``at`` (monotonic seconds)."""
        if not self._since:
            self._since = at
            self.interval.last = at
        else:
            self._weight *= math.exp(-self.interval.silent_for(at) / _RATE_WINDOW_S)
            self.interval.arrived(at)
        self._weight += count

    def rate(self, at: float) -> float:
        """Return readings a second, lately."""
        if not self._since or at <= self._since:
            return 0.0
        weight = self._weight * math.exp(-self.interval.silent_for(at) / _RATE_WINDOW_S)
        seen = 1 - math.exp(-max(at - self._since, 1.0) / _RATE_WINDOW_S)
        return weight / (_RATE_WINDOW_S * seen)

    def state_at(self, at: float) -> State:
        """Judge the silence by what is normal for this device."""
        silent = self.interval.silent_for(at)
        for state, (least_s, times) in (("offline", _OFFLINE), ("stale", _STALE)):
            if silent > max(least_s, times * self.interval.seconds):
                return state  # type: ignore[return-value]
        return "online"


class Devices:
    """All devices; hub thread only."""

    def __init__(self, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._devices: dict[str, Device] = {}

    def __len__(self) -> int:
        return len(self._devices)

    def __contains__(self, name: str) -> bool:
        return name in self._devices

    def restore(self, source: str, last: Reading, profile: Profile | None) -> None:
        """Add a device that the journal knows, silent since its last reading."""
        silent_since = self._monotonic() - max(0.0, self._now() - last.ts)
        device = Device(last.device, source, Interval(silent_since), last.ts, last.wire())
        device.state = device.state_at(self._monotonic())
        self._take_values(device, last.values, profile)
        self._devices[last.device] = device

    def update(self, source: str, readings: Sequence[Reading], profile: Profile | None) -> None:
        """Take readings of one device in, in their order."""
        newest = readings[-1]
        device = self._devices.get(newest.device)
        if device is None:
            device = Device(newest.device, source, Interval(self._monotonic()))
            self._devices[newest.device] = device
        device.arrived(len(readings), self._monotonic())
        device.source, device.last_seen, device.last = source, self._now(), newest.wire()
        for reading in readings:
            self._take_values(device, reading.values, profile)

    @staticmethod
    def _take_values(device: Device, values: Mapping[str, Value], profile: Profile | None) -> None:
        for name, value in values.items():
            known = device.metrics.get(name)
            if known is None:
                if len(device.metrics) < _MOST_METRICS:
                    device.metrics[name] = _describe_metric(value, profile.metrics.get(name) if profile else None)
                else:
                    continue
            elif known["type"] == "int" and type(value) is float:
                known["type"] = "float"  # a sensor that says 21 and then 21.5
            device.latest[name] = value

    def describe(self, name: str) -> dict[str, object] | None:
        """Return DEVICE of CONTRACT.md; ``last`` is JSON ready to be spliced in."""
        device = self._devices.get(name)
        if device is None:
            return None
        return {
            "id": device.id,
            "source": device.source,
            "state": device.state,
            "last_seen": device.last_seen,
            "last": None if device.last is None else orjson.Fragment(device.last),
            "rate": round(device.rate(self._monotonic()), 3),
            "latest": device.latest,
            "metrics": device.metrics,
        }

    def describe_all(self) -> list[dict[str, object]]:
        """Return every DEVICE, by id."""
        return [described for name in sorted(self._devices) if (described := self.describe(name))]

    def changed_states(self) -> Iterable[str]:
        """Judge every silence anew; yield the devices whose state is another than before."""
        at = self._monotonic()
        for device in list(self._devices.values()):
            state = device.state_at(at)
            if state != device.state:
                device.state = state
                yield device.id


def _describe_metric(value: Value, info: MetricInfo | None) -> dict[str, object]:
    if info is not None:
        return info.describe()
    kinds = {bool: "bool", int: "int", float: "float", str: "str"}
    return {"type": kinds[type(value)]}
