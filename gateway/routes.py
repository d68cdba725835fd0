"""Which messages are meant, and how they are read: topic, decoding, device, time, profile, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.adapter import PayloadConfig
from gateway.decoding import Decoder, Fields, make_decoder
from gateway.decoding.source_time import source_time
from gateway.decoding.topics import TopicPattern
from gateway.decoding.words import shown
from gateway.errors import Rejected
from gateway.model import MAX_METRICS, RawMessage, Reading, Value, check_device_id, check_metric_name, encode_body
from gateway.profiles import Profile
from gateway.runtime import is_set


class Way:
    """One way in which messages become readings.

    Raises
    ------
    ValueError
        The pattern or the columns are impossible.
    """

    def __init__(self, config: PayloadConfig, profile: Profile) -> None:
        self.config = config
        self.profile = profile
        self.pattern = None if config.topic_pattern is None else TopicPattern(config.topic_pattern)
        """None: all messages, whatever their topic."""
        self.device_key, self.time_key, self.profile_name = config.device_key, config.time_key, config.profile
        self._decode = self._decoder(config.metric)

    @property
    def rule(self) -> str | None:
        """What messages are held against, by name: the profile, else the topic; None: neither is configured."""
        return self.config.profile or self.config.topic_pattern

    def route(self, topic: str) -> "Route | None":
        """Return how messages with this topic are read, or None if they are not meant.

        Raises
        ------
        Rejected
            The topic names what can't be a device or a metric.
        """
        found = {} if self.pattern is None else self.pattern.match(topic)
        if found is None:
            return None
        device = self.config.device or found.get("device")
        metric = found.get("metric")
        return Route(
            self,
            found,
            None if device is None else _device_id(device),
            self._decode if metric is None else self._decoder(_metric_name(metric)),
        )

    def _decoder(self, metric: str) -> Decoder:
        named = {self.config.device_key} if self.config.device_key else frozenset[str]()
        verbatim = self.profile.text_fields | named
        return make_decoder(self.config.decode, columns=self.config.columns, metric=metric, verbatim=verbatim)


@dataclass(frozen=True, slots=True)
class Route:
    """How the messages of one topic are read.

    Each ``take_…`` is a step, in this order, and takes what it needs out of the fields.
    """

    way: Way
    names: Mapping[str, str]
    """What the levels of the topic name: ``{"device": "kitchen"}``."""
    device: str | None
    """None: each reading names it."""
    decode: Decoder

    def read(self, message: RawMessage) -> list[Reading]:
        """Return the readings of a message; raises ``Rejected``, with the reading's number if there are several."""
        records = self.decode(message.payload)
        if len(records) == 1:
            return [self._reading(records[0], message)]
        return [self._numbered(number, fields, message) for number, fields in enumerate(records, 1)]

    def take_device(self, fields: Fields) -> str:
        """Return the device's id; raises ``Rejected`` if nothing names one."""
        key = self.way.device_key
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

    def take_time(self, fields: Fields, arrived: float) -> float:
        """Return the source's time, else ``arrived``, in Unix seconds; raises ``Rejected`` if it says none."""
        key = self.way.time_key
        return source_time(key, fields.pop(key)) if key in fields else arrived

    def take_values(self, fields: Fields) -> dict[str, Value]:
        """Return the metrics, as the profile wants them, of what is left; raises ``Rejected``."""
        if not 0 < len(fields) <= MAX_METRICS:
            raise Rejected(f"{len(fields)} metrics, at most {MAX_METRICS} are taken" if fields else "no values")
        values = self.way.profile.validate(fields)
        if not values:
            raise Rejected("no values that the profile names")
        return values

    def _numbered(self, number: int, fields: Fields, message: RawMessage) -> Reading:
        try:
            return self._reading(fields, message)
        except Rejected as error:
            raise Rejected(f"reading {number}: {error.reason}") from error

    def _reading(self, fields: Fields, message: RawMessage) -> Reading:
        device = self.take_device(fields)
        ts = self.take_time(fields, message.arrived)
        values = self.take_values(fields)
        if message.retained or not is_set(ts):
            return Reading(device, ts, values, encode_body(ts, values, **_marks(ts, message)), None, message.retained)
        return Reading(device, ts, values, encode_body(ts, values))


def _marks(ts: float, message: RawMessage) -> dict[str, object]:
    """Return what is to be known of a reading besides its time and values."""
    marks: dict[str, object] = {}
    if ts == message.arrived and not is_set(ts):
        marks["clock"] = "unset"
    if message.retained:
        marks["retained"] = True
    return marks


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
