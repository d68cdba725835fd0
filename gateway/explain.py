"""What a message would become, step by step, with the reasons: the daemon's own steps, walked in the open."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from gateway.adapter import AdapterConfig
from gateway.decoding import Fields
from gateway.deliveries import Deliveries
from gateway.intake import Intake
from gateway.model import Outcome, RawMessage, Value
from gateway.profiles import Profile
from gateway.routes import Route, Way


@dataclass(frozen=True, slots=True)
class RouteTried:
    """One way of reading messages, and whether the topic is meant."""

    pattern: str | None
    """None: every message, the source has no topics."""
    matched: bool | None
    """None: not asked, as an earlier one matched."""
    reason: str | None = None
    """Why it didn't match."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric on its way through the profile."""

    name: str
    raw: object
    """As decoded; None: the profile made it."""
    value: Value | None
    """As stored; None: not stored."""
    unit: str = ""
    label: str = ""


@dataclass(slots=True)
class ReadingSteps:
    """One reading, as far as it came: what it didn't reach is None or empty."""

    fields: dict[str, object]
    """As decoded: time and device are among them."""
    device: str | None = None
    ts: float | None = None
    """Unix seconds."""
    source_time: object = None
    """The field that ``ts`` was made of; None: the arrival."""
    metrics: list[Metric] = field(default_factory=list)
    left_out: tuple[str, ...] = ()
    """Metrics that the profile ignores."""
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A reading as it would be kept."""

    device: str
    reading: str
    """In JSON; ``seq`` comes with the commit."""


@dataclass(slots=True)
class Account:
    """All steps of one message through one source."""

    size: int
    """Bytes."""
    topic: str | None
    flaw: str | None
    """Why this is no whole message."""
    outcome: Outcome
    reason: str | None
    """Of a rejected message: word for word the daemon's."""
    availability: str | None = None
    """The pattern, where the topic says whether a device is there: no route is asked then."""
    online: bool | None = None
    """What it says; None: nothing."""
    routes: list[RouteTried] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)
    """What the levels of the topic name."""
    decode: str | None = None
    """None: no route matched, or what the topic names is no device or metric."""
    device_from: Literal["configuration", "topic", "payload"] | None = None
    time_key: str | None = None
    profile: str | None = None
    readings: list[ReadingSteps] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)


def explain(
    config: AdapterConfig, profiles: Mapping[str, Profile], topic: bytes, data: bytes, arrived: float
) -> list[Account]:
    """Return what each message in ``data`` would become.

    Parameters
    ----------
    config
        Of the source.
    profiles
        Every profile that it names.
    topic
        As it is on the wire; empty where the source has none.
    data
        What the source sends: one message, or as many as its framing finds.
    arrived
        When, in Unix seconds.
    """
    intake = Intake.of(config, profiles, Deliveries())
    frames = config.frames(data)
    messages = (RawMessage(frame.payload, arrived, topic, flaw=frame.flaw, size=frame.size) for frame in frames)
    return [_explained(intake, message) for message in messages]


def _explained(intake: Intake, message: RawMessage) -> Account:
    entry = intake.take(message)
    account = Account(
        size=message.whole_size,
        topic=message.topic.decode(errors="backslashreplace") if message.topic else None,
        flaw=message.flaw or None,
        outcome=entry.outcome,
        reason=entry.reason or None,
        stored=[Stored(reading.device, reading.body.decode()) for reading in entry.readings],
    )
    if not message.flaw:
        # What stops a step is the reason that the daemon's own way has just given.
        with suppress(*[Exception] * (entry.outcome is Outcome.REJECTED)):
            _walk(account, intake, message)
    return account


def _walk(account: Account, intake: Intake, message: RawMessage) -> None:
    topic = message.topic.decode()
    if intake.availability and (found := intake.availability.pattern.match(topic)):
        account.names = found
        account.availability = intake.availability.pattern.pattern
        account.online = intake.availability.online(message.payload)
        return
    account.routes = list(_tried(intake.ways, topic))
    way = next((way for way, tried in zip(intake.ways, account.routes, strict=True) if tried.matched), None)
    if way is not None:
        _walk_route(account, way, topic, message)


def _walk_route(account: Account, way: Way, topic: str, message: RawMessage) -> None:
    account.names = (way.pattern and way.pattern.match(topic)) or {}
    route = way.route(topic)
    assert route is not None, "its pattern matches"
    config = way.config
    account.decode, account.profile, account.time_key = config.decode, config.profile, config.time_key
    account.device_from = "configuration" if config.device else "topic" if route.device else "payload"
    for fields in route.decode(message.payload):
        steps = ReadingSteps(dict(fields))
        account.readings.append(steps)
        _read(steps, route, fields, message.arrived)


def _tried(ways: Iterable[Way], topic: str) -> Iterator[RouteTried]:
    found = False
    for way in ways:
        pattern = way.pattern.pattern if way.pattern else None
        reason = way.pattern.mismatch(topic) if way.pattern and not found else ""
        yield RouteTried(pattern, None if found else not reason, reason or None)
        found = found or not reason


def _read(steps: ReadingSteps, route: Route, fields: Fields, arrived: float) -> None:
    profile = route.way.profile
    steps.device = route.take_device(fields)
    steps.source_time = fields.get(route.way.config.time_key)
    steps.ts = route.take_time(fields, arrived)
    raw = dict(fields)
    steps.left_out = profile.left_out(raw)
    steps.metrics = list(_metrics(profile, raw, {}, steps.left_out))
    values = route.take_values(fields)
    steps.metrics = list(_metrics(profile, raw, values, steps.left_out))
    steps.passed = True


def _metrics(
    profile: Profile, raw: Mapping[str, object], values: Mapping[str, Value], left_out: tuple[str, ...]
) -> Iterator[Metric]:
    for name in dict.fromkeys((*raw, *values)):
        if name not in left_out:
            info = profile.metrics.get(name)
            yield Metric(name, raw.get(name), values.get(name), info.unit if info else "", info.label if info else "")
