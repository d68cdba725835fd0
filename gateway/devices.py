"""The latest of every device: its last reading, its metrics, its state, its rate."""

import math
from collections import Counter, OrderedDict
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
_MOST_ANNOUNCED = 4096
"""Devices that said whether they are there, and nothing else yet; of more, the newest."""
_NEVER = -math.inf


@dataclass(slots=True)
class Device:
    """One device as DEVICE of docs/contract.md shows it."""

    id: str
    source: str
    interval: Interval
    last_seen: float = 0.0
    """Unix seconds of the last arrival; 0: it was never heard, only what a broker had kept of it."""
    last: bytes | None = None
    """The last reading's JSON."""
    state: State = "online"
    latest: dict[str, Value] = field(default_factory=dict)
    """The newest value of each metric: not every reading has them all."""
    present: bool = True
    """False: it said that it is away, or its last will did."""
    metrics: dict[str, dict[str, object]] = field(default_factory=dict)
    guessed: set[str] = field(default_factory=set)
    """Metrics that the journal remembers: it doesn't know units, the next reading's profile may."""
    settled: set[str] = field(default_factory=set)
    """Metrics of which no value can tell more than is known."""
    _weight: float = 0.0
    _since: float = 0.0

    @property
    def heard(self) -> bool:
        """Whether a reading came in this run."""
        return bool(self._since)

    def guess(self) -> None:
        """Let the next reading of each metric say what it is."""
        self.guessed = set(self.metrics)
        self.settled.clear()

    def arrived(self, count: int, at: float) -> None:
        """Count readings at ``at`` (monotonic seconds)."""
        self.present = True
        if not self._since:
            self._since = at
            self.interval.last = at
        else:
            self._weight *= math.exp(-self.interval.silent_for(at) / _RATE_WINDOW_S)
            self.interval.arrived(at)
        self._weight += count

    def greeted(self, at: float) -> None:
        """Take a sign of life that says nothing of how often it speaks."""
        if self._since:
            self._weight *= math.exp(-self.interval.silent_for(at) / _RATE_WINDOW_S)
        self.interval.last = at

    def rate(self, at: float) -> float:
        """Return readings a second, lately."""
        if not self._since or at <= self._since:
            return 0.0
        weight = self._weight * math.exp(-self.interval.silent_for(at) / _RATE_WINDOW_S)
        seen = 1 - math.exp(-max(at - self._since, 1.0) / _RATE_WINDOW_S)
        return weight / (_RATE_WINDOW_S * seen)

    def state_at(self, at: float) -> State:
        """Judge the silence by what is normal for this device, unless it said itself that it is away."""
        if not self.present:
            return "offline"
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
        self._announced: OrderedDict[str, bool] = OrderedDict()

    def __len__(self) -> int:
        return len(self._devices)

    def __contains__(self, name: str) -> bool:
        return name in self._devices

    def restore(self, source: str, last: Reading, profile: Profile | None) -> None:
        """Add a device that the journal knows, silent since its last reading."""
        heard_at = 0.0 if last.retained else last.ts
        silent_since = _NEVER if last.retained else self._monotonic() - max(0.0, self._now() - heard_at)
        device = Device(last.device, source, Interval(silent_since), heard_at, last.wire())
        device.state = device.state_at(self._monotonic())
        self._take_values(device, last.values, profile)
        if profile is None:
            device.guess()
        self._devices[last.device] = device

    def update(self, source: str, readings: Sequence[Reading], profile: Profile | None) -> bool:
        """Take readings of one device in, in their order; return whether metrics are known now that were guessed."""
        newest = readings[-1]
        known = self._devices.get(newest.device)
        device = known or self._add(newest.device, source)
        guessed = len(device.guessed)
        heard = len(readings) - sum([reading.retained for reading in readings])
        if heard:
            device.arrived(heard, self._monotonic())
            device.last_seen = self._now()
        device.source, device.last = source, newest.wire()
        for reading in readings:
            self._take_values(device, reading.values, profile)
        if known is None:
            device.state = device.state_at(self._monotonic())
        return len(device.guessed) < guessed

    def announce(self, name: str, online: bool, *, retained: bool) -> None:
        """Note that a device, or its last will, says whether it is there.

        Away, it is offline until a reading comes that is not retained, or until it says that it is there: then
        its silence is judged again, from now on if it has spoken itself.
        """
        device = self._devices.get(name)
        if device is None:
            self._remember(name, online)
            return
        device.present = online
        if online and not retained:
            device.last_seen = self._now()
        if online and (not retained or device.interval.last == _NEVER):
            device.greeted(self._monotonic())

    def _remember(self, name: str, online: bool) -> None:
        """Keep what is to be known of a device when its first reading comes."""
        self._announced[name] = online
        self._announced.move_to_end(name)
        if len(self._announced) > _MOST_ANNOUNCED:
            self._announced.popitem(last=False)

    def _add(self, name: str, source: str) -> Device:
        online = self._announced.pop(name, None)
        last = _NEVER if online is None else self._monotonic()
        device = Device(name, source, Interval(last), present=online is not False)
        self._devices[name] = device
        return device

    @staticmethod
    def _take_values(device: Device, values: Mapping[str, Value], profile: Profile | None) -> None:
        if device.settled.issuperset(values):
            device.latest.update(values)
            return
        for name, value in values.items():
            known = device.metrics.get(name)
            if known is None or name in device.guessed:
                if known or len(device.metrics) < _MOST_METRICS:
                    device.guessed.discard(name)
                    device.metrics[name] = _describe_metric(value, profile.metrics.get(name) if profile else None)
                else:
                    continue
            elif known["type"] == "int" and type(value) is float:
                known["type"] = "float"  # a sensor that says 21 and then 21.5
            device.latest[name] = value
            if device.metrics[name]["type"] != "int":
                device.settled.add(name)

    def describe(self, name: str) -> dict[str, object] | None:
        """Return DEVICE of docs/contract.md; ``last`` is JSON ready to be spliced in."""
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

    def states(self) -> Counter[State]:
        """Return how many are in which state."""
        return Counter(device.state for device in self._devices.values())

    def replace_last(self, name: str, last: bytes) -> None:
        """Show the last reading as it is now in the journal."""
        self._devices[name].last = last

    def describe_anew(self, source: str) -> None:
        """Let the next readings of a source's devices say what their metrics are: its profiles may be others now."""
        for device in self._devices.values():
            if device.source == source:
                device.guess()

    def clock_set(self) -> None:
        """Say by the clock as it is now when those were last seen that were heard in this run."""
        for device in self._devices.values():
            if device.heard:
                device.last_seen = self._now() - device.interval.silent_for(self._monotonic())

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
