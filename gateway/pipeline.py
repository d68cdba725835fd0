"""The way of a message: intake, journal, and after the commit: settled, latest, live."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from gateway.deliveries import Deliveries, digest_of
from gateway.devices import Devices
from gateway.intake import Intake
from gateway.journal import Committed, Journal
from gateway.ledger import Ledger
from gateway.live import Live
from gateway.logs import Defects, Throttled
from gateway.meters import Meters
from gateway.model import Entry, Outcome, RawMessage
from gateway.overview import Overview
from gateway.profiles import Profile
from gateway.publishing import Publishing
from gateway.runtime import monotonic
from gateway.skew import LATEST, Skew

_STORED, _DUPLICATE = Outcome.STORED, Outcome.DUPLICATE
_RETAINED = attrgetter("retained")


@dataclass(slots=True)
class Sinks:
    """What is told of messages that have come to their end."""

    ledger: Ledger
    devices: Devices
    deliveries: Deliveries
    live: Live
    overview: Overview
    skew: Skew = field(default_factory=Skew)
    meters: Meters = field(default_factory=Meters)


class Pipeline:
    """Joins the parts; hub thread only."""

    def __init__(
        self, intakes: Mapping[str, Intake], journal: Journal, sinks: Sinks, profiles: Mapping[str, Profile]
    ) -> None:
        self._intakes = dict(intakes)
        self._journal = journal
        self.ledger = sinks.ledger
        self.skew = sinks.skew
        self.meters = sinks.meters
        self._sinks = sinks
        self._profiles: dict[str, Mapping[str, Profile]] = dict.fromkeys(intakes, profiles)
        """By source: of two, one may still run on the profile of that name as it was before a reload."""
        self._closed = False
        self.in_intake: dict[str, RawMessage] = {}
        """The message of each source, and of each replay, that is being read now."""
        self._rejects = Throttled(__name__, "rejected")
        self._drops = Throttled(__name__, "dropped")
        self._defects = Defects(__name__)
        self._publishing = Publishing(sinks.devices, sinks.live, sinks.overview, self._profiles)

    def close(self) -> None:
        """Take nothing in any more: what its sender keeps stays with its sender, unacknowledged."""
        self._closed = True

    def use(self, source: str, intake: Intake, profiles: Mapping[str, Profile]) -> None:
        """Take in what comes of ``source`` through ``intake`` from now on; what came before goes its way."""
        self._intakes[source] = intake
        self._profiles[source] = profiles
        self._sinks.devices.describe_anew(source)
        self._sinks.deliveries.forget_topics(source)

    def forget(self, source: str) -> None:
        """Take nothing in of ``source`` any more; what came before goes its way."""
        del self._intakes[source]

    @property
    def sources(self) -> Container[str]:
        """Of which messages are taken in, at any time."""
        return self._intakes.keys()

    def take(self, source: str, messages: Sequence[RawMessage]) -> None:
        """Take messages of ``source`` in that came together, in their order."""
        if self._closed:
            return
        if not any(map(_RETAINED, messages)):
            self._take_together(source, messages)
            return
        for message in messages:  # each is held against what its topic said just before
            self._take_together(source, (message,))

    def _take_together(self, source: str, messages: Sequence[RawMessage]) -> None:
        entries: list[Entry] = []
        take, in_intake = self._intakes[source].take, self.in_intake
        try:
            for message in messages:
                in_intake[source] = message
                entries.append(take(message))
        except BaseException:  # the green thread is ended in a user's validator
            self._give_up(source, message)
            raise
        finally:
            in_intake.pop(source, None)
            self._take_on(source, entries)

    def _take_on(self, source: str, entries: Sequence[Entry]) -> None:
        """Count what was read, and let it be kept."""
        self.ledger.received(source, len(entries))
        self._sinks.deliveries.said(source, [entry.message for entry in entries if entry.outcome is not _DUPLICATE])
        for entry in entries[-LATEST:]:
            if entry.readings and not entry.message.retained:
                self.skew.observe(source, entry.message.arrived, entry.readings[0].ts)
        at = monotonic()
        for entry in entries:
            entry.taken = at
        self._journal.append_all(entries)

    def _give_up(self, source: str, message: RawMessage) -> None:
        """End a message that was not read to its end; when its sender brings it again, it is no duplicate."""
        self.ledger.received(source)
        self.ledger.ended(source, Outcome.DROPPED)
        self._drops.warn(source, "its source was ended while it was read")
        self._sinks.deliveries.unsay(source, message)
        if message.packet_id is not None:
            self._sinks.deliveries.forget(source, message.packet_id, digest_of(message))

    def replay(self, source: str, message: RawMessage, reject: int, ended: Callable[[Outcome, str], None]) -> None:
        """Take in again what was refused before; ``ended`` is called with what becomes of it.

        It is an old message: no sign that its device is alive, nor of the source's clock.
        """
        if self._closed:
            ended(Outcome.DROPPED, "the gateway is stopping")
            return
        self.ledger.received(source)
        entry = self._read_again(source, message, reject)
        entry.taken = monotonic()
        entry.replays, entry.ended, entry.availability = reject, ended, None
        for reading in entry.readings:
            reading.retained = True
        self._journal.append(entry)

    def _read_again(self, source: str, message: RawMessage, reject: int) -> Entry:
        name = f"reject {reject}"  # should a source be called so too, one hides the other from the watchdog, no more
        self.in_intake[name] = message
        try:
            return self._intakes[source].read(message)
        except BaseException:  # whoever asked for it is ended while a user's validator waits
            self.ledger.ended(source, Outcome.DROPPED)
            raise
        finally:
            self.in_intake.pop(name, None)

    def committed(self, batch: Committed) -> None:
        """End every message of a commit: count, settle, publish, in this order.

        What waits for the disk is published too, as it can't be resumed from: without ``seq``.
        """
        if not batch.kept:
            self._end_all(batch.entries, batch.error)
        published = self._publishing.publish(batch.entries, kept=batch.kept)
        if batch.kept:
            for entry in batch.entries:
                entry.shown = True
        if batch.rebased:
            self._publishing.put_right(batch.rebased)
        if published:
            self._measure(batch)

    def _measure(self, batch: Committed) -> None:
        self.meters.emitted(waited_s := monotonic() - batch.entries[0].taken)
        if not (batch.kept or batch.error):
            self.meters.committed(batch.entries, batch.took_s, waited_s)

    def _end_all(self, entries: Sequence[Entry], error: str) -> None:
        self.ledger.all_ended([(entry.source, _end_of(entry, error)) for entry in entries])
        for entry in entries:
            if error or entry.outcome is not _STORED or entry.ended is not None:
                self._end(entry, error)
            else:
                self._settle(entry)

    def _end(self, entry: Entry, error: str) -> None:
        """Do for a message that isn't simply stored what is to be done at its end."""
        lost = bool(error) and entry.outcome is Outcome.STORED
        if lost:
            self._sinks.deliveries.unsay(entry.source, entry.message)
            self._drops.warn(entry.source, error)
        if self._is_kept_by_sender(entry, error):
            self._expect_again(entry)
        else:
            self._settle(entry)
        if entry.outcome is Outcome.REJECTED:
            self._rejects.warn(entry.source, entry.reason)
        if entry.ended is not None:
            entry.ended(_end_of(entry, error), error if lost else entry.reason)

    def _settle(self, entry: Entry) -> None:
        message = entry.message
        if message.packet_id is not None:
            digest = entry.digest or digest_of(message)  # a duplicate has none
            self._sinks.deliveries.remember(entry.source, message.packet_id, digest)
        try:
            message.settle()
        except Exception as error:  # noqa: BLE001  an adapter's defect keeps no other message from its end
            self._defects.report(f"settling a message of source {entry.source}", error)

    def _is_kept_by_sender(self, entry: Entry, error: str) -> bool:
        """Tell whether this must come again: it, or what it is a duplicate of, could not be kept."""
        message = entry.message
        if not message.acknowledged:
            return False
        if error:
            return True
        if entry.outcome is not Outcome.DUPLICATE or message.packet_id is None:
            return False
        return not self._sinks.deliveries.seen(entry.source, message.packet_id, digest_of(message))

    def _expect_again(self, entry: Entry) -> None:
        """Leave a message with its sender; when it comes again, it is no duplicate."""
        if entry.digest is not None and entry.message.packet_id is not None:
            self._sinks.deliveries.forget(entry.source, entry.message.packet_id, entry.digest)
            self._sinks.deliveries.unsay(entry.source, entry.message)

    def sum_up(self, *, all_now: bool = False) -> None:
        """Log how many messages were refused since the last line about it; call about once a second."""
        self._rejects.sum_up(all_now=all_now)
        self._drops.sum_up(all_now=all_now)

    def slack_s(self) -> float:
        """Return for how long messages may wait at their source, and nobody sees them later, in seconds."""
        return self._sinks.live.slack_s()


def _end_of(entry: Entry, error: str) -> Outcome:
    return Outcome.DROPPED if error and entry.outcome is Outcome.STORED else entry.outcome
