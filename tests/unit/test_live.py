"""Live against a journal and a transport in memory; what a viewer gets is what counts."""

import random
from contextlib import nullcontext

import orjson
import pytest

from gateway.journal import Condensed
from gateway.live import Live, TooManyDevices, Traffic, catching_up
from gateway.model import Reading, encode_body
from gateway.runtime import monotonic, sleep, spawn


class Stored:
    def __init__(self, seq, ts, body):
        self.seq, self.ts, self.body = seq, ts, body


class Journal:
    """Answers after another turn of the hub, as a native thread does."""

    def __init__(self):
        self.readings = []
        self.oldest = 1

    def commit(self, count):
        first = len(self.readings) + 1
        new = [Reading("d", 0.0, {"n": n}, encode_body(0.0, {"n": n}), n) for n in range(first, first + count)]
        self.readings += new
        return new

    def after(self, device, after, upto, limit):
        sleep(0)
        found = [r for r in self.readings if after < r.seq <= upto and r.seq >= self.oldest]
        return [Stored(r.seq, r.ts, r.body) for r in found[:limit]]

    def condensed(self, device, after, upto, budget):
        found = self.after(device, after, upto, 1_000_000)
        return Condensed(found, len(found))


class Transport:
    def __init__(self):
        self.rooms = {}
        self.got = {}
        self.full = set()

    def send(self, viewer, event, payload):
        self.got.setdefault(viewer, []).append((event, orjson.loads(orjson.dumps(payload))))

    def send_all(self, viewer, events):
        for event in events:
            self.send(viewer, *event)

    def together(self):
        return nullcontext()

    def send_room(self, device, event, payload):
        room = self.rooms.get(device, set())
        for viewer in room - self.full:
            self.send(viewer, event, payload)
        return room & self.full

    def enter(self, viewer, device):
        self.rooms.setdefault(device, set()).add(viewer)

    def leave(self, viewer, device):
        self.rooms[device].discard(viewer)

    def progress(self, viewer):
        handed, _, answered, *_ = self.traffic(viewer)
        return handed, answered

    def traffic(self, viewer):
        handed = len(self.got.get(viewer, ()))
        return Traffic(handed, handed, 0 if viewer in self.full else handed)

    def ask(self, viewer):
        return True

    def seqs(self, viewer):
        return [r["seq"] for event, data in self.got.get(viewer, ()) if event == "readings" for r in data["readings"]]

    def gaps(self, viewer):
        return [(g["from"], g["to"], g["reason"]) for event, g in self.got.get(viewer, ()) if event == "gap"]


class World:
    def __init__(self):
        self.journal, self.transport = Journal(), Transport()
        self.live = Live(self.transport, self.journal, lambda: 0.0)

    def commit(self, count=1):
        self.live.publish("d", self.journal.commit(count))

    def in_room(self, viewer):
        return viewer in self.transport.rooms.get("d", ())


@pytest.fixture
def world():
    return World()


def until(condition):
    deadline = monotonic() + 5.0
    while not condition():
        assert monotonic() < deadline
        sleep(0)


def test_backlog_then_live_without_hole_or_double(world):
    world.commit(20)
    assert world.live.join("v", "d", None, 5) == 20
    until(lambda: world.in_room("v"))
    world.commit(3)
    assert world.transport.seqs("v") == list(range(16, 24))


def test_since_gives_all_that_came_after(world):
    world.commit(2000)
    world.live.join("v", "d", 3, 1)
    until(lambda: world.in_room("v"))
    assert world.transport.seqs("v") == list(range(4, 2001))


def test_a_part_that_is_short_is_no_gap(world):
    world.commit(300)
    full = world.journal.after
    world.journal.after = lambda device, after, upto, limit: full(device, after, upto, 7)
    world.live.join("v", "d", 0, 1)
    until(lambda: world.in_room("v"))
    assert (world.transport.seqs("v"), world.transport.gaps("v")) == (list(range(1, 301)), [])


def test_a_device_not_heard_of_yet_can_be_watched(world):
    assert world.live.join("v", "d", None, 1) == 0
    until(lambda: world.in_room("v"))
    world.commit()
    assert world.transport.seqs("v") == [1]


def test_what_retention_took_is_a_named_gap(world):
    world.commit(10)
    world.journal.oldest = 8
    world.live.join("v", "d", 2, 1)
    until(lambda: world.in_room("v"))
    assert world.transport.gaps("v") == [(3, 7, "expired")]
    assert world.transport.seqs("v") == [8, 9, 10]


@pytest.mark.parametrize("name", ["d", ""])
def test_numbers_that_a_damage_skipped_are_a_named_gap_to_whom_they_concern(world, name):
    world.live.resume({name: 1000}, {})
    world.live.join("old", "d", 7, 1)
    world.live.join("new", "d", None, 5)
    until(lambda: world.in_room("old") and world.in_room("new"))
    world.journal.readings = [None] * 1000
    world.commit(2)
    world.journal.readings = world.journal.readings[1000:]
    world.live.join("late", "d", None, 5)
    until(lambda: world.in_room("late"))
    assert {viewer: world.transport.gaps(viewer) for viewer in ("old", "new", "late")} == {
        "old": [(8, 1000, "expired")],
        "new": [],
        "late": [],
    }
    assert all(world.transport.seqs(viewer) == [1001, 1002] for viewer in ("old", "new", "late"))


def test_a_device_that_was_restored_is_not_concerned(world):
    world.live.restore("d", 20)
    world.live.resume({"": 1000}, {})
    assert world.live.join("v", "d", 20, 1) == 20
    until(lambda: world.in_room("v"))
    assert world.live.join("v", "d", None, 5) == 20
    until(lambda: world.in_room("v"))
    assert world.transport.gaps("v") == [(16, 20, "expired")]  # of this journal, which has none of them


def test_numbers_that_a_restored_backup_skipped_are_a_named_gap_and_no_backlog(world):
    world.commit(20)
    restored = World()
    restored.journal.readings = world.journal.readings[:10]
    restored.live.restore("d", 10)
    restored.live.resume({"d": 1000, "": 1000}, {})
    viewers = {"behind": (8, 1), "knows more": (20, 1), "new": (None, 5)}
    for viewer, (since, backlog) in viewers.items():
        assert restored.live.join(viewer, "d", since, backlog) == 1000
        until(lambda viewer=viewer: restored.in_room(viewer))
    readings = [Reading("d", 0.0, {"n": n}, encode_body(0.0, {"n": n}), n) for n in (1001, 1002)]
    restored.journal.readings = restored.journal.readings + readings
    restored.live.publish("d", readings)
    viewers["late"] = (None, 5)
    viewers["late and behind"] = (8, 1)
    for viewer in ("late", "late and behind"):
        restored.live.join(viewer, "d", *viewers[viewer])
        until(lambda viewer=viewer: restored.in_room(viewer))
    assert {viewer: (restored.transport.seqs(viewer), restored.transport.gaps(viewer)) for viewer in viewers} == {
        "behind": ([9, 10, 1001, 1002], [(11, 1000, "expired")]),
        "knows more": ([1001, 1002], [(21, 1000, "expired")]),
        "new": ([6, 7, 8, 9, 10, 1001, 1002], [(11, 1000, "expired")]),
        "late": ([8, 9, 10, 1001, 1002], [(11, 1000, "expired")]),
        "late and behind": ([9, 10, 1001, 1002], [(11, 1000, "expired")]),
    }


def test_after_a_further_restart_too_a_backlog_reaches_across_numbers_that_were_skipped(world):
    world.commit(10)
    kept = world.journal.readings
    world.journal.readings += [Reading("d", 0.0, {"n": n}, encode_body(0.0, {"n": n}), n) for n in (1001, 1002)]
    again = World()
    again.journal.readings = kept
    again.live.restore("d", 1002)
    again.live.resume({"d": 1000, "": 1000}, {"d": 10})
    for viewer, backlog in (("few", 2), ("more", 5), ("all", 100)):
        again.live.join(viewer, "d", None, backlog)
        until(lambda viewer=viewer: again.in_room(viewer))
    assert {
        viewer: (again.transport.seqs(viewer), again.transport.gaps(viewer)) for viewer in ("few", "more", "all")
    } == {
        "few": ([1001, 1002], []),
        "more": ([8, 9, 10, 1001, 1002], [(11, 1000, "expired")]),
        "all": ([*range(1, 11), 1001, 1002], [(11, 1000, "expired")]),
    }


def test_readings_that_could_not_be_stored_are_shown_and_move_no_position(world):
    world.live.join("v", "d", None, 1)
    until(lambda: world.in_room("v"))
    world.live.publish("d", [Reading("d", 0.0, {"n": 1}, encode_body(0.0, {"n": 1}))])
    world.commit()
    assert world.transport.seqs("v") == [None, 1]


def test_a_viewer_that_takes_nothing_leaves_the_room_and_catches_up(world):
    world.live.join("slow", "d", None, 0)
    world.live.join("fast", "d", None, 0)
    until(lambda: world.in_room("slow") and world.in_room("fast"))
    world.commit(2)
    world.transport.full.add("slow")
    world.commit(3)
    assert not world.in_room("slow")
    assert world.transport.seqs("fast") == [1, 2, 3, 4, 5]
    assert world.transport.seqs("slow") == [1, 2]
    world.transport.full.clear()
    until(lambda: world.in_room("slow"))
    world.commit()
    assert world.transport.seqs("slow") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("seed", range(100))
def test_joining_at_any_moment_gives_consecutive_seq(world, seed):
    chance = random.Random(seed)
    world.commit(chance.randrange(1, 50))
    done = []

    def write():
        for _ in range(60):
            world.commit(chance.randrange(1, 40))
            for _ in range(chance.randrange(3)):
                sleep(0)
        done.append(True)

    spawn(write)
    expected = {}
    for number in range(20):
        newest = len(world.journal.readings)
        since = chance.choice([None, chance.randrange(newest + 1)])
        backlog = chance.randrange(30)
        expected[f"v{number}"] = (max(newest - backlog, 0) if since is None else since) + 1
        world.live.join(f"v{number}", "d", since, backlog)
        for _ in range(chance.randrange(4)):
            sleep(0)
    until(lambda: done and all(world.in_room(viewer) for viewer in expected))
    world.commit()
    newest = len(world.journal.readings)
    for viewer, first in expected.items():
        assert world.transport.seqs(viewer) == list(range(first, newest + 1))
        assert world.transport.gaps(viewer) == []


def test_joining_again_moves_the_position(world):
    world.commit(5)
    world.live.join("v", "d", 5, 0)
    until(lambda: world.in_room("v"))
    world.live.join("v", "d", 3, 0)
    until(lambda: world.in_room("v"))
    assert world.transport.seqs("v") == [4, 5]
    assert world.live.watchers("d") == 1


def test_watchers_are_announced_once_for_many_changes(world):
    for number in range(3):
        world.live.join(f"v{number}", "d", None, 0)
    world.live.announce_watchers()
    world.live.announce_watchers()
    assert world.transport.got["v0"] == [("room_info", {"device": "d", "watchers": 3})]
    world.live.gone("v1")
    world.live.announce_watchers()
    assert world.transport.got["v0"][-1] == ("room_info", {"device": "d", "watchers": 2})
    world.live.leave("v1", "d")
    assert world.live.watchers("d") == 2


def test_one_viewer_can_only_watch_so_much(world):
    for number in range(1000):
        world.live.join("v", f"d{number}", None, 0)
    with pytest.raises(TooManyDevices):
        world.live.join("v", "one more", None, 0)
    world.live.join("v", "d7", None, 0)


def test_a_great_commit_goes_out_in_packets_that_can_be_kept_for_each_viewer(world):
    world.live.join("v", "d", None, 0)
    until(lambda: world.in_room("v"))
    world.commit(5000)
    packets = [data["readings"] for event, data in world.transport.got["v"] if event == "readings"]
    assert max(len(orjson.dumps(packet)) for packet in packets) < 64 * 1024
    assert world.transport.seqs("v") == list(range(1, 5001))


def test_a_viewer_that_leaves_in_the_turn_of_a_commit_disturbs_nobody(world):
    for name in ("v", "w"):
        world.live.join(name, "d", None, 0)
    until(lambda: world.in_room("v") and world.in_room("w"))
    send_room = world.transport.send_room

    def leave_meanwhile(device, event, payload):
        world.live.gone("v")
        return [*send_room(device, event, payload), "v"]

    world.transport.send_room = leave_meanwhile
    world.commit(2)
    assert world.transport.seqs("w") == [1, 2]
    assert world.live.watchers("d") == 1


def test_a_tap_sees_everything_until_it_is_closed(world):
    seen = []
    untap = world.live.tap(lambda device, readings: seen.extend(r.seq for r in readings))
    world.commit(2)
    untap()
    world.commit()
    assert seen == [1, 2]


def test_a_defect_while_catching_up_is_logged_once_and_nothing_is_missed(world, monkeypatch, caplog):
    monkeypatch.setattr(catching_up, "_AGAIN_S", 0.0)
    world.commit(20)
    defects, after = [ValueError("broken")] * 3, world.journal.after

    def broken(*query):
        if defects:
            raise defects.pop()
        return after(*query)

    world.journal.after = broken
    world.live.join("v", "d", 0, 1)
    until(lambda: world.in_room("v"))
    world.commit()
    assert (world.transport.seqs("v"), world.transport.gaps("v")) == (list(range(1, 22)), [])
    (record,) = caplog.records
    assert record.getMessage() == "bringing a viewer to the newest readings failed"
    assert record.exc_info
