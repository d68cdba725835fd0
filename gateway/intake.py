"""The one door: a raw message becomes readings, or is refused with a reason. Nothing is checked again after it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.adapter import PayloadConfig
from gateway.decoding import Decoder, Fields, make_decoder
from gateway.decoding.source_time import source_time
from gateway.decoding.topics import TopicPattern
from gateway.decoding.words import one_line, shown
from gateway.deliveries import Deliveries, digest_of
from gateway.errors import Rejected
from gateway.model import (
    MAX_METRICS,
    Entry,
    Outcome,
    RawMessage,
    Reading,
    check_device_id,
    check_metric_name,
    encode_body,
)
from gateway.profiles import ANY, Profile

log = logging.getLogger(__name__)

_CACHED_TOPICS = 4096
_CACHED_TOPIC_BYTES = 512
"""Routes are found once a topic; longer topics, and more of them, are matched each time."""


class Intake:
    """Takes the messages of one source: routes, decodes, validates, stamps.

    Parameters
    ----------
    source
        Name of the adapter.
    payloads
        How messages are read; the first whose topic matches decides.
    profiles
        Every profile that ``payloads`` name.
    deliveries
        What was taken in before, of all sources.

    Raises
    ------
    ValueError
        A payload's pattern or columns are impossible.
    """

    def __init__(
        self,
        source: str,
        payloads: Sequence[PayloadConfig],
        profiles: Mapping[str, Profile],
        deliveries: Deliveries,
    ) -> None:
        self._source = source
        self._ways = [_Way(config, profiles[config.profile] if config.profile else ANY) for config in payloads]
        self._deliveries = deliveries
        self._routes: dict[bytes, _Route | None] = {}
        self._astonished = False

    def take(self, message: RawMessage) -> Entry:
        """Return what becomes of ``message``: all of its readings, or the first reason against it."""
        digest = None
        if message.packet_id is not None:
            digest = digest_of(message)
            if message.redelivered and self._deliveries.seen(self._source, message.packet_id, digest):
                return Entry(self._source, message, Outcome.DUPLICATE)
            self._deliveries.remember(self._source, message.packet_id, digest)
        entry = self._read(message)
        entry.digest = digest
        return entry

    def _read(self, message: RawMessage) -> Entry:
        try:
            route = self._route(message)
            if route is None:
                return Entry(self._source, message, Outcome.IGNORED)
            readings = route.read(message)
        except Rejected as error:
            return Entry(self._source, message, Outcome.REJECTED, reason=one_line(error.reason))
        except Exception as error:  # noqa: BLE001  a validator in a user's model may raise anything
            return Entry(self._source, message, Outcome.REJECTED, reason=self._astonishment(error))
        return Entry(self._source, message, Outcome.STORED, readings, profile=route.way.config.profile)

    def _route(self, message: RawMessage) -> "_Route | None":
        if message.flaw:
            raise Rejected(message.flaw)
        try:
            return self._routes[message.topic]
        except KeyError:
            return self._find_route(message.topic)

    def _find_route(self, topic: bytes) -> "_Route | None":
        try:
            text = topic.decode()
        except UnicodeDecodeError as error:
            raise Rejected(f"topic: not UTF-8: byte 0x{topic[error.start]:02x} at {error.start}") from error
        route = next((route for way in self._ways if (route := way.route(text))), None)
        if len(topic) <= _CACHED_TOPIC_BYTES:
            if len(self._routes) >= _CACHED_TOPICS:
                self._routes.clear()
            self._routes[topic] = route
        return route

    def _astonishment(self, error: Exception) -> str:
        if not self._astonished:  # once: the same sensor will say the same thing again
            self._astonished = True
            log.error("%s: a message could not be read", self._source, exc_info=error)
        return one_line(f"can't be read: {type(error).__name__}: {error}")


class _Way:
    """One way in which messages become readings."""

    def __init__(self, config: PayloadConfig, profile: Profile) -> None:
        self.config = config
        self.profile = profile
        self._pattern = None if config.topic_pattern is None else TopicPattern(config.topic_pattern)
        self._decode = self._decoder(config.metric)

    def route(self, topic: str) -> "_Route | None":
        """Return how messages with this topic are read, or None if they are not meant.

        Raises
        ------
        Rejected
            The topic names what can't be a device or a metric.
        """
        found = {} if self._pattern is None else self._pattern.match(topic)
        if found is None:
            return None
        device = self.config.device or found.get("device")
        metric = found.get("metric")
        return _Route(
            self,
            None if device is None else _device_id(device),
            self._decode if metric is None else self._decoder(_metric_name(metric)),
        )

    def _decoder(self, metric: str) -> Decoder:
        named = {self.config.device_key} if self.config.device_key else frozenset[str]()
        verbatim = self.profile.text_fields | named
        return make_decoder(self.config.decode, columns=self.config.columns, metric=metric, verbatim=verbatim)


@dataclass(frozen=True, slots=True)
class _Route:
    """How the messages of one topic are read."""

    way: _Way
    device: str | None
    """None: each reading names it."""
    decode: Decoder

    def read(self, message: RawMessage) -> list[Reading]:
        """Return the readings of a message; raises ``Rejected``, with the reading's number if there are several."""
        records = self.decode(message.payload)
        if len(records) == 1:
            return [self._reading(records[0], message.arrived)]
        return [self._numbered(number, fields, message.arrived) for number, fields in enumerate(records, 1)]

    def _numbered(self, number: int, fields: Fields, arrived: float) -> Reading:
        try:
            return self._reading(fields, arrived)
        except Rejected as error:
            raise Rejected(f"reading {number}: {error.reason}") from error

    def _reading(self, fields: Fields, arrived: float) -> Reading:
        config = self.way.config
        device = self._take_device(fields)
        time_key = config.time_key
        ts = source_time(time_key, fields.pop(time_key)) if time_key in fields else arrived
        if not 0 < len(fields) <= MAX_METRICS:
            raise Rejected(f"{len(fields)} metrics, at most {MAX_METRICS} are taken" if fields else "no values")
        values = self.way.profile.validate(fields)
        if not values:
            raise Rejected("no values that the profile names")
        return Reading(device, ts, values, encode_body(ts, values))

    def _take_device(self, fields: Fields) -> str:
        key = self.way.config.device_key
        named = None if key is None else fields.pop(key, None)
        if self.device is not None:
            return self.device
        if key is None:
            raise Rejected("no device: expected {device} in the route's topic, or device or device_key in gateway.toml")
        if named is None:
            raise Rejected(f"{key}: expected the name of the device, got nothing")
        if isinstance(named, bool) or not isinstance(named, (str, int)):
            raise Rejected(f"{key}: expected the name of the device, text or a whole number, got {shown(named)}")
        return _device_id(str(named))


def _device_id(name: str) -> str:
    try:
        return check_device_id(name)
    except ValueError as error:
        raise Rejected(f"device id: {error}, got {shown(name)}") from error


def _metric_name(name: str) -> str:
    try:
        return check_metric_name(name)
    except ValueError as error:
        raise Rejected(f"metric name: {error}, got {shown(name)}") from error
