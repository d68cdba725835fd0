"""Viewers behind slow lines, in simulated time: what each is shown, how old that is, and what it costs."""

import random
from collections import deque
from contextlib import nullcontext

import orjson
import pytest

from gateway.errors import JournalDown
from gateway.journal import Condensed, Stored
from gateway.journal.condensing import condensed
from gateway.live import Credit, Live, Traffic
from gateway.live import catching_up as catching_up_module
from gateway.live import live as live_module
from gateway.live import recall as recall_module
from gateway.model import Reading, encode_body
from gateway.runtime import sleep

STEP_S = 0.01
LOOK_EVERY = 25
MOST_IN_SYSTEM = 20 * 1024
"""Bytes that a line holds before it refuses more."""
MOST_IN_QUEUE = 4 * 1024
"""Bytes that may wait for one that polls."""
FAST = 10**7
SPIKE = 1000.0


class Line:
    """What goes to one viewer, in order; it takes ``rate`` bytes a second."""

    def __init__(self):
        self.rate = FAST
        self.way_s = 0.0
        self.handed = self.taken = 0.0
        self.credit = Credit()
        self.got = []
        self.lots = []
        self.looks = 0
        self._waiting = deque()
        self._answers = deque()

    def put(self, size, event):
        self.handed += size
        self._waiting.append((self.handed, event))

    def ask(self, at):
        if self.handed - self.taken > MOST_IN_SYSTEM:
            return False
        self.credit.ask(self.handed, at)
        self.put(3, None)
        return True

    def run(self, at):
        self.taken = min(self.handed, self.taken + self.rate * STEP_S)
        while self._waiting and self._waiting[0][0] <= self.taken:
            _, event = self._waiting.popleft()
            if event is None:
                self._answers.append(at + self.way_s)
            else:
                self.got.append((at, *event))
        while self._answers and self._answers[0] <= at:
            self.credit.answer(self._answers.popleft())

    def takes(self, at, size):
        if not self.credit.is_asked and self.handed >= self.credit.free:
            self.ask(at)
        return self.credit.allows(self.handed + size) and self.handed - self.taken <= MOST_IN_SYSTEM

    def traffic(self):
        credit = self.credit
        return Traffic(
            int(self.handed), int(self.taken), int(credit.answered), credit.is_asked, credit.answered_at, credit.way_s
        )


class Polling(Line):
    """One that polls: after each way it takes all that waits."""

    def __init__(self, way_s):
        super().__init__()
        self.way_s = way_s
        self._next_at = 0.0

    def ask(self, at):
        return False

    def run(self, at):
        if self._waiting and at >= self._next_at:
            self.taken, self._next_at = self.handed, at + self.way_s
            self.got += [(at, *event) for _, event in self._waiting]
            self._waiting.clear()

    def takes(self, at, size):
        return self.handed - self.taken <= MOST_IN_QUEUE

    def traffic(self):
        return Traffic(int(self.handed), int(self.taken), int(self.taken), asked=True, way_s=self.way_s)


class World:
    """A device, its journal, and lines; also live's transport and history."""

    def __init__(self):
        self.at = 1000.0
        self.readings = []
        self.rate = 0.0
        self.lines = {}
        self.rooms = {"d": set()}
        self.fails = False
        self.live = Live(self, self, lambda: 0.0)
        self._due = 0.0
        self._steps = 0

    # ---- time

    def monotonic(self):
        return self.at

    def sleep(self, seconds):
        end = self.at + seconds
        while self.at < end:
            sleep(0)

    def run(self, seconds, value=lambda _: 0.0):
        for _ in range(round(seconds / STEP_S)):
            self.at += STEP_S
            self._steps += 1
            self._due += self.rate * STEP_S
            self.publish([value(len(self.readings) + 1 + n) for n in range(int(self._due))])
            self._due %= 1
            for line in self.lines.values():
                line.run(self.at)
            if self._steps % LOOK_EVERY == 0:
                self.live.look()
            for _ in range(4):
                sleep(0)

    def publish(self, values):
        first = len(self.readings) + 1
        new = [
            Reading("d", self.at, {"v": value}, encode_body(self.at, {"v": value}), seq)
            for seq, value in enumerate(values, first)
        ]
        self.readings += new
        if new:
            self.live.publish("d", new)

    # ---- the transport

    def line(self, viewer, rate=FAST):
        self.lines[viewer] = Line()
        self.lines[viewer].rate = rate
        return self.lines[viewer]

    def send(self, viewer, event, payload):
        data = orjson.dumps(payload)
        self.lines[viewer].put(len(data) + 30, (event, orjson.loads(data)))

    def send_all(self, viewer, events):
        self.lines[viewer].lots.append([(event, orjson.loads(orjson.dumps(payload))) for event, payload in events])
        for event in events:
            self.send(viewer, *event)

    def together(self):
        return nullcontext()

    def send_room(self, device, event, payload):
        room = self.rooms[device]
        full = {name for name in room if not self.lines[name].takes(self.at, len(orjson.dumps(payload)) + 30)}
        for viewer in room - full:
            self.send(viewer, event, payload)
        return full

    def enter(self, viewer, device):
        self.rooms[device].add(viewer)

    def leave(self, viewer, device):
        self.rooms[device].discard(viewer)

    def progress(self, viewer):
        handed, _, answered, *_ = self.traffic(viewer)
        return handed, answered

    def traffic(self, viewer):
        line = self.lines[viewer]
        line.looks += 1
        return line.traffic()

    def ask(self, viewer):
        return self.lines[viewer].ask(self.at)

    # ---- the journal

    def after(self, device, after, upto, limit):
        sleep(0)
        if self.fails:
            raise JournalDown("disk gone")
        return [Stored(r.seq, r.ts, r.body) for r in self.readings[after:upto][:limit]]

    def condensed(self, device, after, upto, budget):
        sleep(0)
        if self.fails:
            raise JournalDown("disk gone")

        def back(*, after, limit, most_bytes):
            found = self.readings[max(after - 1 - limit, 0) : after - 1]
            return [Stored(r.seq, r.ts, r.body) for r in found[::-1]]

        return condensed(back, after, upto, budget)

    # ---- what a viewer saw

    def seen(self, viewer):
        """Return every seq that the viewer was told of, in order, and the gaps."""
        seqs, gaps = [], []
        for _, event, data in self.lines[viewer].got:
            if event == "gap":
                gaps.append((data["from"], data["to"], data["reason"]))
                seqs += range(data["from"], data["to"] + 1)
            else:
                seqs += [reading["seq"] for reading in data["readings"]]
        return seqs, gaps

    def shown(self, viewer):
        events = self.lines[viewer].got
        return [r for _, event, data in events if event == "readings" for r in data["readings"]]

    def ages(self, viewer, since):
        """Return how old the newest value was whenever something came, and right before it."""
        newest, ages = None, []
        for at, event, data in self.lines[viewer].got:
            if newest is not None and at >= since:
                ages.append(at - newest)
            if event == "readings":
                newest = data["readings"][-1]["ts"]
        return ages


@pytest.fixture
def world(monkeypatch):
    made = World()
    monkeypatch.setattr(catching_up_module, "monotonic", made.monotonic)
    monkeypatch.setattr(catching_up_module, "sleep", made.sleep)
    monkeypatch.setattr(live_module, "monotonic", made.monotonic)
    monkeypatch.setattr(recall_module, "monotonic", made.monotonic)
    yield made
    for viewer in list(made.lines):
        made.live.gone(viewer)
    made.run(0.5)


def watch(world, viewer, *, rate=FAST, backlog=0, way_s=0.0):
    line = world.line(viewer, rate)
    line.way_s = way_s
    world.live.join(viewer, "d", None, backlog)
    world.run(0.1)
    return line


def noise(chance):
    return lambda seq: SPIKE + seq if seq % 1000 == 500 else chance.uniform(-1, 1)


@pytest.mark.parametrize("seed", range(20))
def test_readings_and_gaps_account_for_everything_however_slow_a_viewer_is(world, seed):
    chance = random.Random(seed)
    line = watch(world, "v", backlog=0)
    for _ in range(15):
        line.rate = chance.choice([0, 300, 2_000, 8_000, 50_000, FAST])
        world.rate = chance.choice([0, 1, 50, 1000])
        world.run(chance.uniform(0.1, 5.0), noise(chance))
    line.rate, world.rate = FAST, 200.0
    world.run(8.0, noise(chance))
    seqs, gaps = world.seen("v")
    assert seqs == list(range(1, len(world.readings) + 1))
    assert {reason for _, _, reason in gaps} <= {"slow"}
    assert "v" in world.rooms["d"]
    for lot in line.lots:
        assert_extremes_are_in(lot, world.readings)


def assert_extremes_are_in(lot, readings):
    """What is left out of a lot is no greater and no less than what is in it."""
    gaps = [data for event, data in lot if event == "gap"]
    shown = [r["values"]["v"] for event, data in lot if event == "readings" for r in data["readings"]]
    for gap in gaps:
        left_out = [reading.values["v"] for reading in readings[gap["from"] - 1 : gap["to"]]]
        assert min(shown) <= min(left_out) <= max(left_out) <= max(shown)


@pytest.mark.parametrize("rate", [3_000, 8_000, 30_000])
def test_a_line_that_is_too_slow_shows_the_newest_and_every_peak(world, rate):
    world.rate = 1000.0
    began = world.at
    watch(world, "v", rate=rate)
    world.run(30.0, noise(random.Random(1)))
    ages = world.ages("v", began + 10.0)
    assert len(ages) > 40
    assert max(ages) < 2.0
    came = {reading["seq"] for reading in world.shown("v")}
    newest = world.seen("v")[0][-1]
    spikes = [r.seq for r in world.readings[:newest] if r.values["v"] >= SPIKE]
    late = [seq for seq in spikes if seq > 10_000]
    assert late
    assert came >= set(late)
    assert "v" not in world.rooms["d"]


@pytest.mark.parametrize("most_in_system", [MOST_IN_SYSTEM, 10**6])
@pytest.mark.parametrize("rate", [6_000, 8_000, 30_000, 60_000])
def test_a_newcomer_with_a_slow_line_is_never_shown_what_is_old(world, monkeypatch, rate, most_in_system):
    """Also where its system takes at once what it looks at much later."""
    monkeypatch.setattr(f"{__name__}.MOST_IN_SYSTEM", most_in_system)
    world.rate = 1000.0
    watch(world, "v", rate=rate)
    world.run(20.0, noise(random.Random(1)))
    assert max(world.ages("v", 0.0)) < 2.0
    assert "v" not in world.rooms["d"]


def test_a_newcomer_with_a_history_before_it_soon_sees_what_is_new(world):
    world.publish([0.0] * 5000)
    world.rate = 1000.0
    began = world.at
    watch(world, "v", rate=8_000, backlog=5000)
    world.run(20.0, noise(random.Random(1)))
    assert max(world.ages("v", began + 2.0)) < 2.0


def test_who_becomes_slow_behind_a_large_buffer_is_noticed_within_seconds(world, monkeypatch):
    monkeypatch.setattr(f"{__name__}.MOST_IN_SYSTEM", 10**6)
    world.rate = 1000.0
    line = watch(world, "v")
    world.run(5.0)
    line.rate = 8_000
    world.run(2.0)
    assert "v" not in world.rooms["d"]
    world.run(28.0)
    assert max(world.ages("v", world.at - 5.0)) < 2.0


@pytest.mark.parametrize("count", [19, 60])
def test_each_of_many_gets_its_turn_to_be_asked(world, monkeypatch, count):
    """Else one that is slow behind a large buffer would never be noticed."""
    asked = []
    ask = world.ask
    monkeypatch.setattr(world, "ask", lambda viewer: asked.append(viewer) or ask(viewer))
    for number in range(count):
        watch(world, f"v{number}")
    world.rate = 500.0
    world.run(3.0)
    asked.clear()
    world.run(5.0)
    assert len(set(asked)) == count


def test_it_recovers_by_itself_and_misses_nothing_from_then_on(world):
    world.rate = 1000.0
    line = watch(world, "v", rate=8_000)
    world.run(10.0)
    assert world.seen("v")[1]
    line.rate = FAST
    world.run(4.0)
    assert "v" in world.rooms["d"]
    line.got.clear()
    world.run(5.0)
    seqs, gaps = world.seen("v")
    assert gaps == []
    assert len(seqs) >= 4900


def test_one_that_stands_still_for_seconds_and_is_quick_again_misses_nothing(world):
    world.rate = 1000.0
    line = watch(world, "v")
    world.run(2.0)
    line.rate = 0
    world.run(8.0)
    line.rate = 2_000_000
    world.run(4.0)
    seqs, gaps = world.seen("v")
    assert gaps == []
    assert seqs == list(range(seqs[0], len(world.readings) + 1))


def test_one_that_stands_still_is_sent_nothing_more_and_costs_few_looks(world):
    world.rate = 1000.0
    line = watch(world, "v")
    line.rate = 0
    world.run(3.0)
    handed, looks = line.handed, line.looks
    world.run(10.0)
    assert line.handed == handed
    assert handed - line.taken < MOST_IN_SYSTEM + 32 * 1024
    assert line.looks - looks <= 25


def test_a_long_history_over_a_slow_line_is_sent_whole(world):
    world.publish([0.0] * 5000)
    world.rate = 5.0
    watch(world, "v", rate=8_000, backlog=5000)
    world.run(60.0)
    seqs, gaps = world.seen("v")
    assert gaps == []
    assert seqs == list(range(1, len(world.readings) + 1))
    assert "v" in world.rooms["d"]


def test_a_line_with_a_long_way_is_not_slow(world):
    world.rate = 1000.0
    watch(world, "v", way_s=0.4)
    world.run(20.0)
    assert "v" in world.rooms["d"]
    assert world.seen("v")[1] == []


@pytest.mark.parametrize("way_s", [0.1, 0.35, 0.6])
def test_one_that_polls_over_a_long_way_is_not_slow(world, way_s):
    world.publish([0.0] * 2000)
    world.rate = 50.0
    world.lines["v"] = Polling(way_s)
    world.live.join("v", "d", None, 1000)
    world.run(10.0)
    seqs, gaps = world.seen("v")
    assert gaps == []
    assert seqs == list(range(1001, seqs[-1] + 1))
    assert world.at - world.readings[seqs[-1] - 1].ts < 2 * way_s + 0.1
    assert "v" in world.rooms["d"]


def test_the_rest_of_a_bounded_look_back_is_a_plain_gap(world):
    world.publish([0.0])
    line = watch(world, "v", rate=8_000)
    world.rate = 1000.0
    world.run(5.0)
    assert world.seen("v")[1]
    line.rate = 0
    world.rate = 5000.0
    world.run(6.0)
    line.rate = FAST
    world.rate = 100.0
    world.run(5.0)
    seqs, gaps = world.seen("v")
    assert seqs == list(range(seqs[0], len(world.readings) + 1))
    assert max(to - first for first, to, _ in gaps) > 5000
    assert {reason for _, _, reason in gaps} == {"slow"}


@pytest.mark.parametrize("rate", [FAST, 8_000])
def test_a_journal_that_cannot_be_read_for_a_moment_costs_nobody_a_reading(world, rate):
    world.rate = 1000.0
    line = watch(world, "v", rate=rate)
    line.rate = 0
    world.run(2.0)
    world.fails, line.rate = True, rate
    world.run(4.0)
    world.fails = False
    world.run(8.0)
    seqs, gaps = world.seen("v")
    assert seqs == list(range(1, seqs[-1] + 1))
    assert world.at - world.readings[seqs[-1] - 1].ts < 2.0
    assert {reason for _, _, reason in gaps} <= ({"slow"} if rate == 8_000 else set())


@pytest.mark.parametrize("rate", [FAST, 8_000])
def test_what_cannot_be_read_for_long_is_a_named_gap_and_live_goes_on(world, rate, caplog):
    world.publish([0.0] * 50)
    line = watch(world, "v", rate=rate)
    world.rate = 1000.0
    world.run(5.0)
    line.rate, world.fails = 0, True
    world.run(2.0)
    line.rate = rate
    world.run(8.0)
    seqs, gaps = world.seen("v")
    assert gaps[-1][2] == "unreadable"
    world.fails = False
    world.run(4.0)
    seqs, gaps = world.seen("v")
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert "expired" not in {reason for _, _, reason in gaps}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_it_is_not_tried_at_every_turn(world):
    world.publish([0.0] * 50)
    world.fails, tries = True, []
    after = world.after
    world.after = lambda *args: tries.append(args) or after(*args)
    world.line("v")
    world.live.join("v", "d", 0, 0)
    world.run(20.0)
    assert world.seen("v")[1] == [(1, 50, "unreadable")]
    assert "v" in world.rooms["d"]
    assert 5 < len(tries) < 20


def test_one_who_waits_for_the_journal_is_not_asked_again_and_again(world):
    world.publish([0.0] * 50)
    world.fails = True
    line = world.line("v")
    world.live.join("v", "d", 0, 0)
    world.run(4.0)
    assert line.handed < 3 * 10, "a ping has 3 bytes"


def test_more_that_is_asked_for_meanwhile_is_sent_whole_too(world):
    world.publish([0.0] * 3000)
    world.rate = 5.0
    watch(world, "v", rate=8_000, backlog=1500)
    world.rooms["e"] = set()
    world.run(5.0)
    after = world.after
    older = [Stored(seq, 0.0, encode_body(0.0, {"v": 0.0})) for seq in range(1, 3001)]
    world.after = lambda device, *range_: older[range_[0] :][: range_[2]] if device == "e" else after(device, *range_)
    world.live.restore("e", 3000)
    world.live.join("v", "e", 0, 0)
    world.run(60.0)
    assert world.seen("v")[1] == []
    assert "v" in world.rooms["d"] & world.rooms["e"]


def test_many_devices_are_joined_at_once_over_a_long_way(world):
    line = world.line("v")
    line.way_s = 0.4
    names = [f"d{number}" for number in range(50)]
    world.rooms.update((name, set()) for name in names)
    world.after = lambda device, after, upto, limit: [Stored(upto, 0.0, encode_body(0.0, {"v": 0.0}))]
    for name in names:
        world.live.restore(name, 1)
        world.live.join("v", name, None, 1)
    world.run(1.0)
    assert all("v" in world.rooms[name] for name in names)


@pytest.mark.parametrize("most_broken", [0, 1])
def test_many_devices_share_a_slow_line_also_if_the_first_of_them_can_not_be_shown(world, most_broken):
    broken = set()
    names = [f"d{number}" for number in range(20)]
    world.rooms.update((name, set()) for name in names)
    histories = {name: [] for name in names}
    world.after = lambda device, after, upto, limit: histories[device][after:upto][:limit]

    def condense(device, after, upto, budget):
        sleep(0)
        if len(broken) < most_broken:
            broken.add(device)
        if device in broken:
            raise ZeroDivisionError("a defect")
        found = histories[device][after:upto]
        return Condensed(found[-1:], len(found))

    world.condensed = condense
    line = world.line("v", 4_000)
    for name in names:
        world.live.join("v", name, None, 0)
    for _ in range(1000):
        for name in names:
            seq = len(histories[name]) + 1
            body = encode_body(world.at, {"v": 1.0})
            histories[name].append(Stored(seq, world.at, body))
            world.live.publish(name, [Reading(name, world.at, {"v": 1.0}, body, seq)])
        world.run(0.02)
    newest = {}
    for _, event, data in line.got:
        if event == "readings":
            newest[data["device"]] = data["readings"][-1]["ts"]
    assert len(broken) == most_broken
    assert newest.keys() | broken == set(names)
    assert max(world.at - ts for name, ts in newest.items() if name not in broken) < 3.0
