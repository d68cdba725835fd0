"""The one door: a raw message becomes readings, or is refused with a reason. Nothing is checked again after it."""

import logging
from collections.abc import Mapping, Sequence

from gateway.adapter import AdapterConfig, PayloadConfig
from gateway.availability import Availability
from gateway.decoding.words import one_line
from gateway.deliveries import Deliveries, digest_of
from gateway.errors import Rejected
from gateway.model import Entry, Outcome, RawMessage
from gateway.profiles import ANY, Profile
from gateway.roster import Roster
from gateway.routes import Route, Way

log = logging.getLogger(__name__)

_STORED = Outcome.STORED
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
    availability
        Topics that say whether a device is there, which no route then reads.
    roster
        The devices of all sources; without it, one of this source's own.

    Raises
    ------
    ValueError
        A payload's pattern or columns are impossible.
    """

    def __init__(  # noqa: PLR0913  one parameter a thing that has a say
        self,
        source: str,
        payloads: Sequence[PayloadConfig],
        profiles: Mapping[str, Profile],
        deliveries: Deliveries,
        availability: Availability | None = None,
        *,
        roster: Roster | None = None,
    ) -> None:
        self._source = source
        self.ways = tuple(Way(config, profiles[config.profile] if config.profile else ANY) for config in payloads)
        """In the order in which they are asked."""
        self._deliveries = deliveries
        self.availability = availability
        self._roster = roster or Roster()
        self._routes: dict[bytes, Route | None] = {}
        self._astonished = False

    @classmethod
    def of(
        cls,
        config: AdapterConfig,
        profiles: Mapping[str, Profile],
        deliveries: Deliveries,
        roster: Roster | None = None,
    ) -> "Intake":
        """Return the intake of a source as it is configured: the daemon's, and the one that is explained."""
        return cls(config.name, config.payloads(), profiles, deliveries, config.announcements(), roster=roster)

    def take(self, message: RawMessage) -> Entry:
        """Return what becomes of ``message``: all of its readings, or the first reason against it.

        What its topic said is kept of a retained one only; of others it is cheaper for many at once.
        """
        if message.packet_id is None:
            return self._take_new(message)
        digest = digest_of(message)
        if message.redelivered and self._deliveries.seen(self._source, message.packet_id, digest):
            return Entry(self._source, message, Outcome.DUPLICATE)
        self._deliveries.expect(self._source, message.packet_id, digest)
        entry = self._take_new(message)
        if entry.outcome is not Outcome.DUPLICATE:
            entry.digest = digest
        return entry

    def _take_new(self, message: RawMessage) -> Entry:
        if message.retained and self._deliveries.is_repeated(self._source, message):
            return Entry(self._source, message, Outcome.DUPLICATE)
        return self.read(message)

    def read(self, message: RawMessage) -> Entry:
        """Return what becomes of ``message``, whatever was delivered before."""
        route = None
        try:
            if self.availability is not None and (told := self._hear(self.availability, message)) is not None:
                return told
            route = self._route(message)
            if route is None:
                return Entry(self._source, message, Outcome.IGNORED)
            readings = route.read(message)
            self._roster.admit(readings)
        except Rejected as error:
            return self._refuse(message, route, one_line(error.reason))
        except Exception as error:  # noqa: BLE001  a validator in a user's model may raise anything
            return self._refuse(message, route, self._astonishment(error))
        return Entry(self._source, message, _STORED, readings, "", route.way.profile_name)

    def _hear(self, availability: Availability, message: RawMessage) -> Entry | None:
        """Return what a message that says whether a device is there comes to; None: it is another."""
        device = None if message.flaw else availability.device(_text(message.topic))
        if device is None:
            return None
        online = availability.online(message.payload)
        told = None if online is None else (device, online)
        return Entry(self._source, message, Outcome.IGNORED, availability=told)

    def _refuse(self, message: RawMessage, route: Route | None, reason: str) -> Entry:
        rule = None if route is None else route.way.rule
        return Entry(self._source, message, Outcome.REJECTED, reason=reason, rule=rule)

    def _route(self, message: RawMessage) -> Route | None:
        if message.flaw:
            raise Rejected(message.flaw)
        try:
            return self._routes[message.topic]
        except KeyError:
            return self._find_route(message.topic)

    def _find_route(self, topic: bytes) -> Route | None:
        text = _text(topic)
        route = next((route for way in self.ways if (route := way.route(text))), None)
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


def _text(topic: bytes) -> str:
    try:
        return topic.decode()
    except UnicodeDecodeError as error:
        raise Rejected(f"topic: not UTF-8: byte 0x{topic[error.start]:02x} at {error.start}") from error
