from contextlib import nullcontext
from dataclasses import replace

import orjson
import pytest
from greenlet import GreenletExit

from gateway.adapter import PayloadConfig
from gateway.availability import Availability
from gateway.deliveries import Deliveries
from gateway.devices import Devices
from gateway.intake import Intake
from gateway.journal import Committed
from gateway.ledger import Ledger
from gateway.model import Entry, Outcome, RawMessage, Reading, encode_body
from gateway.pipeline import Pipeline, Sinks
from gateway.profiles import ProfileConfig, build


class Journal:
    def __init__(self):
        self.entries = []

    def append(self, entry):
        self.entries.append(entry)

    def append_all(self, entries):
        self.entries.extend(entries)


class Seen:
    """Stands for live and overview: keeps what it was told."""

    def __init__(self):
        self.published = []
        self.fails_for = None

    def publish(self, device, readings):
        if device == self.fails_for:
            raise ZeroDivisionError("a defect")
        self.published.append((device, [(reading.seq, reading.values) for reading in readings]))

    def together(self):
        return nullcontext()

    def touch(self, names):
        pass


class Endless(Intake):
    """Its green thread is ended in the middle of a message, as it waits in a user's validator."""

    def read(self, message):
        raise GreenletExit


class World:
    def __init__(self):
        self.deliveries, self.journal, self.seen, self.settled = Deliveries(), Journal(), Seen(), []
        ledger = Ledger(["bench"])
        self.devices = Devices(lambda: 0.0, lambda: 0.0)
        availability = Availability("{device}/status")
        intake = Intake("bench", [PayloadConfig(device="d")], {}, self.deliveries, availability)
        sinks = Sinks(ledger, self.devices, self.deliveries, self.seen, self.seen)
        self.pipeline = Pipeline({"bench": intake}, self.journal, sinks, {})
        self.numbers = iter(range(1, 1000))

    def take(self, *args, **kwargs):
        self.pipeline.take("bench", [self.message(*args, **kwargs)])

    def message(self, payload=b'{"n": 1}', packet_id=None, redelivered=False, topic=b"", **more):
        return RawMessage(
            payload,
            0.0,
            topic,
            settle=lambda: self.settled.append(payload),
            acknowledged=packet_id is not None,
            packet_id=packet_id,
            redelivered=redelivered,
            **more,
        )

    def commit(self, error="", *, kept=False):
        entries, self.journal.entries = self.journal.entries, []
        if not error:
            for entry in entries:
                for reading in entry.readings:
                    reading.seq = next(self.numbers)
        self.pipeline.committed(Committed(entries, error, kept))
        return entries

    @property
    def books(self):
        return {key: count for key, count in self.pipeline.ledger.total().items() if count}


@pytest.fixture
def world():
    return World()


def test_counts_settles_and_publishes_after_the_commit(world):
    world.take(packet_id=1)
    assert (world.settled, world.seen.published) == ([], [])
    assert world.books == {"received": 1, "in_flight": 1}
    world.commit()
    assert world.settled == [b'{"n": 1}']
    assert world.seen.published == [("d", [(1, {"n": 1})])]
    assert world.books == {"received": 1, "stored": 1}


def test_a_commit_is_one_publication_a_device(world):
    for number in range(3):
        world.take(b'{"n": %d}' % number)
    world.take(b"junk")
    world.commit()
    assert world.seen.published == [("d", [(1, {"n": 0}), (2, {"n": 1}), (3, {"n": 2})])]
    assert world.books == {"received": 4, "stored": 3, "rejected": 1}
    assert len(world.settled) == 4


def test_what_waits_for_the_disk_is_shown_without_seq_and_ends_later(world):
    world.take(packet_id=1)
    entries = world.commit("disk is full", kept=True)
    assert world.seen.published == [("d", [(None, {"n": 1})])]
    assert (world.settled, world.books) == ([], {"received": 1, "in_flight": 1})
    world.journal.entries = entries
    world.commit()
    assert world.seen.published[1:] == [("d", [(1, {"n": 1})])]
    assert (len(world.settled), world.books) == (1, {"received": 1, "stored": 1})


def test_what_could_not_be_kept_is_dropped_and_left_with_its_sender(world):
    world.take(b'{"n": 1}')
    world.take(b'{"n": 2}', packet_id=7)
    world.commit("disk is full")
    assert world.books == {"received": 2, "dropped": 2}
    assert world.settled == [b'{"n": 1}']  # nobody waits for this one
    world.take(b'{"n": 2}', packet_id=7, redelivered=True)
    world.commit()
    assert world.books == {"received": 3, "dropped": 2, "stored": 1}


def test_what_waits_for_the_disk_is_not_taken_twice_however_much_there_is(world):
    for packet_id in range(1, 6001):
        world.take(b'{"n": %d}' % packet_id, packet_id=packet_id)
    world.commit("the disk is full", kept=True)
    world.take(b'{"n": 1}', packet_id=1, redelivered=True)
    assert [entry.outcome for entry in world.journal.entries] == [Outcome.DUPLICATE]


def test_what_was_settled_waits_no_more_whatever_became_of_it(world):
    retained = RawMessage(b'{"n": 1}', 0.0, b"t", acknowledged=True, packet_id=7, retained=True)
    world.pipeline.take("bench", [retained])
    world.pipeline.take("bench", [replace(retained, packet_id=8)])
    world.take(b"no JSON", packet_id=9)
    world.commit()
    assert world.books == {"received": 3, "stored": 1, "duplicate": 1, "rejected": 1}
    assert not world.deliveries._unsettled["bench"]


def test_a_redelivery_is_a_duplicate_and_settled(world):
    world.take(packet_id=7)
    world.commit()
    world.take(packet_id=7, redelivered=True)
    world.commit()
    assert world.books == {"received": 2, "stored": 1, "duplicate": 1}
    assert len(world.settled) == 2


def test_a_duplicate_of_what_was_lost_meanwhile_is_not_settled(world):
    world.take(packet_id=7)
    first = world.journal.entries.pop()
    world.take(packet_id=7, redelivered=True)
    duplicate = world.journal.entries.pop()
    assert duplicate.outcome is Outcome.DUPLICATE
    world.pipeline.committed(Committed([first], "disk is full"))
    world.pipeline.committed(Committed([duplicate]))
    assert world.settled == []
    world.take(packet_id=7, redelivered=True)
    world.commit()
    assert len(world.settled) == 1


def test_a_message_whose_reading_was_ended_is_no_duplicate_when_it_comes_again(world, caplog):
    sane = world.pipeline._intakes["bench"]
    world.pipeline.use("bench", Endless("bench", [], {}, world.deliveries), {})
    with pytest.raises(GreenletExit):
        world.take(packet_id=7, topic=b"t")
    assert (world.books, world.pipeline.in_intake) == ({"received": 1, "dropped": 1}, {})
    assert "its source was ended while it was read" in caplog.text
    world.pipeline.use("bench", sane, {})
    world.take(packet_id=7, topic=b"t", redelivered=True)
    assert world.settled == []
    world.commit()
    assert len(world.settled) == 1
    assert world.seen.published == [("d", [(1, {"n": 1})])]
    assert world.books == {"received": 2, "stored": 1, "dropped": 1}


class EndsAt(Intake):
    """Its green thread is ended in the middle of the message that says so."""

    def read(self, message):
        if message.payload == b"end":
            raise GreenletExit
        return super().read(message)


def test_of_messages_that_come_together_those_before_the_one_in_which_it_was_ended_are_kept(world):
    world.pipeline.use("bench", EndsAt("bench", [PayloadConfig(device="d")], {}, world.deliveries), {})
    payloads = [b'{"n": 1}', b'{"n": 2}', b"end", b'{"n": 3}']
    with pytest.raises(GreenletExit):
        world.pipeline.take("bench", [world.message(payload, topic=payload) for payload in payloads])
    assert (world.books, world.pipeline.in_intake) == ({"received": 3, "dropped": 1, "in_flight": 2}, {})
    world.commit()
    assert world.seen.published == [("d", [(1, {"n": 1}), (2, {"n": 2})])]
    assert world.books == {"received": 3, "stored": 2, "dropped": 1}
    assert not world.deliveries.is_repeated("bench", world.message(b'{"n": 3}', topic=b'{"n": 3}', retained=True))


def test_messages_that_come_together_are_as_they_are_one_by_one(world):
    other = World()
    messages = [
        (b'{"n": 1}', b"a", False),
        (b'{"n": 1}', b"a", True),
        (b"junk", b"b", False),
        (b'{"n": 2}', b"a", False),
    ]
    world.pipeline.take("bench", [world.message(said, topic=topic, retained=kept) for said, topic, kept in messages])
    for said, topic, kept in messages:
        other.take(said, topic=topic, retained=kept)
    for each in (world, other):
        outcomes = [entry.outcome for entry in each.journal.entries]
        assert outcomes == [Outcome.STORED, Outcome.DUPLICATE, Outcome.REJECTED, Outcome.STORED]
        each.commit()
    assert world.seen.published == other.seen.published
    assert world.books == other.books


def test_a_duplicate_is_not_what_its_topic_said_last(world):
    first, second = ({"payload": b'{"n": %d}' % n, "packet_id": n, "topic": b"t"} for n in (1, 2))
    world.take(**first)
    world.take(**second)
    world.take(**first, redelivered=True)
    assert [entry.outcome for entry in world.journal.entries][2] is Outcome.DUPLICATE
    world.take(b'{"n": 2}', topic=b"t", retained=True)
    assert world.journal.entries[3].outcome is Outcome.DUPLICATE


class Watched(Intake):
    """Calls ``look`` while it reads a message."""

    def read(self, message):
        self.look()
        return super().read(message)


def test_a_replay_is_seen_while_it_is_read(world):
    intake, seen = Watched("bench", [PayloadConfig(device="d")], {}, world.deliveries), []
    intake.look = lambda: seen.append(dict(world.pipeline.in_intake))
    world.pipeline.use("bench", intake, {})
    message = RawMessage(b'{"n": 1}', 0.0)
    world.pipeline.replay("bench", message, 7, lambda outcome, reason: None)
    assert (seen, world.pipeline.in_intake) == ([{"reject 7": message}], {})


def test_a_replay_that_is_ended_while_it_is_read_is_accounted_for(world):
    world.pipeline.use("bench", Endless("bench", [], {}, world.deliveries), {})
    with pytest.raises(GreenletExit):
        world.pipeline.replay("bench", RawMessage(b'{"n": 1}', 0.0), 7, lambda outcome, reason: None)
    assert (world.books, world.pipeline.in_intake) == ({"received": 1, "dropped": 1}, {})


def profile(unit):
    return build("climate", ProfileConfig(metrics={"n": {"type": "int", "unit": unit}}))


def test_sources_have_each_their_own_profile_of_a_name(world):
    intake = world.pipeline._intakes["bench"]
    world.pipeline.use("bench", intake, {"climate": profile("°C")})
    world.pipeline.use("one that went back to its old settings", intake, {"climate": profile("°F")})
    world.pipeline.committed(Committed([entry_of("d", 1, "climate")]))
    assert world.devices.describe("d")["metrics"]["n"]["unit"] == "°C"


def test_closed_it_takes_nothing(world):
    world.pipeline.close()
    world.take(packet_id=1)
    assert (world.journal.entries, world.books) == ([], {})


def test_lag_is_measured_where_something_was_published(world):
    assert world.pipeline.meters.lag_ms() == {"p50": 0.0, "p99": 0.0}
    world.take()
    world.commit()
    assert world.pipeline.meters.lag_ms()["p99"] > 0


@pytest.mark.parametrize(("order", "state"), [("ra", "offline"), ("ar", "online"), ("rar", "online")])
def test_readings_and_announcements_of_a_commit_count_in_their_order(world, order, state):
    for letter in order:
        if letter == "r":
            world.take()
        else:
            world.take(b"offline", topic=b"d/status")
    world.commit()
    list(world.devices.changed_states())
    assert world.devices.describe("d")["state"] == state
    assert world.books == {"received": len(order), "stored": order.count("r"), "ignored": 1}


def entry_of(device, seq, profile=None, settle=lambda: None):
    values = {"n": seq}
    reading = Reading(device, 0.0, values, encode_body(0.0, values), seq)
    return Entry("bench", RawMessage(b"", 0.0, settle=settle), Outcome.STORED, [reading], profile=profile)


def test_a_device_fed_by_two_routes_is_published_in_the_order_of_seq(world):
    ways = ["climate", "climate", None, None, "climate"]
    world.pipeline.committed(Committed([entry_of("d", seq, way) for seq, way in enumerate(ways, start=1)]))
    assert world.seen.published == [("d", [(seq, {"n": seq}) for seq in range(1, 6)])]
    assert b'"seq":5' in orjson.dumps(world.devices.describe("d"))


def test_a_defect_while_settling_keeps_no_other_message_from_its_end(world, caplog):
    def fail():
        raise OSError("an adapter's defect")

    done = []
    entries = [entry_of("d", 1, settle=lambda: done.append(1)), entry_of("d", 2, settle=fail)]
    entries += [entry_of("d", 3, settle=fail), entry_of("d", 4, settle=lambda: done.append(4))]
    world.pipeline.committed(Committed(entries))
    assert done == [1, 4]
    assert world.seen.published == [("d", [(seq, {"n": seq}) for seq in range(1, 5)])]
    assert caplog.text.count("settling a message of source bench failed") == 1


def test_a_defect_while_publishing_a_device_hides_no_other(world, caplog):
    world.seen.fails_for = "broken"
    world.pipeline.committed(Committed([entry_of("broken", 1), entry_of("d", 1)]))
    assert world.seen.published == [("d", [(1, {"n": 1})])]
    assert "a defect" in caplog.text


def test_a_message_without_packet_id_is_left_with_its_sender_too(world):
    settled = []
    message = RawMessage(b'{"n": 1}', 0.0, settle=lambda: settled.append(1), acknowledged=True)
    world.pipeline.take("bench", [message])
    world.commit("disk is full")
    assert settled == []


def test_what_was_shown_while_it_waited_is_no_second_sign_of_life(world):
    world.take(packet_id=1)
    entries = world.commit("disk is full", kept=True)
    world.journal.entries = entries
    before = world.devices.describe("d")["rate"]
    world.commit()
    assert world.devices.describe("d")["rate"] == before
    assert b'"seq":1' in orjson.dumps(world.devices.describe("d")["last"])
