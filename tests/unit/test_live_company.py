"""When a room's readings go out at once, and when together; in simulated time."""

import random
from contextlib import ExitStack

import pytest

from gateway.live import Traffic
from tests.support.live_world import DEAR_S, STEP_S, simulated

LONGEST_S = 0.06


@pytest.fixture
def make(monkeypatch):
    with ExitStack() as worlds:
        yield lambda each_s=DEAR_S: worlds.enter_context(simulated(monkeypatch, each_s))


def steady(world, *, rate, seconds=2.0, device="d"):
    for _ in range(round(seconds * rate)):
        world.publish(device)
        world.run(1 / rate)
    world.run(0.1)


@pytest.mark.parametrize(("viewers", "rate", "each_s"), [(1, 1000, 1e-3), (4, 200, 1e-3), (200, 15, DEAR_S)])
def test_few_viewers_and_slow_devices_wait_for_nothing(make, viewers, rate, each_s):
    world = make(each_s)
    world.watch(viewers)
    steady(world, rate=rate)
    assert max(world.delays("d0")) < STEP_S / 2


@pytest.mark.parametrize("rate", [100, 500])
def test_where_emitting_is_dear_readings_go_together_and_none_waits_long(make, rate):
    world = make()
    world.watch(100)
    steady(world, rate=rate)
    assert world.seqs("d0") == list(range(1, 2 * rate + 1))
    assert max(world.delays("d0")) <= LONGEST_S + 2 * STEP_S
    assert len(world.packets("d0")) <= 2 / LONGEST_S + 3


def test_the_dearer_the_longer(make):
    waits = []
    for each_s in (1e-6, 7e-6, 14e-6, 50e-6):
        world = make(each_s)
        world.watch(10)
        steady(world, rate=500)
        waits.append(max(world.delays("d0")))
    assert waits == sorted(waits)
    assert waits[0] < STEP_S / 2
    assert 0.005 < waits[1] < waits[2] < waits[3]


def test_dear_rooms_go_in_the_same_turn(make):
    world = make()
    for device in ("d", "e"):
        world.watch(50, device)
    for _ in range(100):
        world.publish("d")
        world.run(0.007)
        world.publish("e")
        world.run(0.004)
    moments = [{round(at, 3) for at, event, _ in world.got[viewer] if event == "readings"} for viewer in ("d0", "e0")]
    assert len(moments[0] ^ moments[1]) <= 4


def test_a_defect_in_one_room_holds_no_other_back(make, caplog):
    world = make()
    for device in ("d", "e"):
        world.watch(50, device)
    for _ in range(2):  # the second waits
        for device in ("d", "e"):
            world.publish(device)
        world.run(0.005)
    world.fails_for = "d"
    world.run(0.1)
    assert world.seqs("e0") == [1, 2]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def waiting(world):
    """Bring about that readings 2 and 3 wait for company."""
    world.watch(50)
    world.publish()
    world.run(0.01)
    world.publish()
    world.publish()
    assert world.seqs("d0") == [1]


def test_the_end_of_the_daemon_lets_nothing_wait(make):
    world = make()
    waiting(world)
    world.live.flush()
    assert world.seqs("d0") == [1, 2, 3]
    world.run(0.1)
    assert world.seqs("d0") == [1, 2, 3]


def test_what_is_told_to_a_room_comes_after_what_waits(make):
    world = make()
    waiting(world)
    world.live.tell("d", "rebased", {})
    assert [event for _, event, _ in world.got["d0"]] == ["readings", "readings", "rebased"]


def test_a_great_deal_does_not_wait(make):
    world = make()
    waiting(world)
    world.publish(count=2000)
    assert world.seqs("d0") == list(range(1, 2004))


def test_readings_that_could_not_be_kept_wait_in_their_place(make):
    world = make()
    waiting(world)
    world.publish(kept=False)
    world.publish()
    world.run(0.1)
    assert world.seqs("d0") == [1, 2, 3, None, 4]


def test_taps_see_at_once_what_waits(make):
    world = make()
    seen = []
    world.live.tap(lambda _, readings: seen.extend(r.seq for r in readings))
    waiting(world)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("since", [0, 1, 2, 3])
def test_joining_while_something_waits_leaves_no_hole_and_no_double(make, since):
    world = make()
    waiting(world)
    assert world.live.join("late", "d", since, 0) == 3
    world.run(0.1)
    world.publish()
    world.run(0.1)
    assert world.seqs("late") == list(range(since + 1, 5))


def test_one_that_refuses_goes_on_from_where_the_room_is(make):
    world = make()
    waiting(world)
    world.full.add("d0")
    world.publish()
    world.run(0.1)
    assert "d0" not in world.rooms["d"]
    world.full.clear()
    world.run(3.0)
    world.publish()
    world.run(0.1)
    assert world.seqs("d0") == world.seqs("d1") == [1, 2, 3, 4, 5]


def test_what_waits_for_nobody_is_forgotten_and_found_in_the_journal(make):
    world = make()
    waiting(world)
    for number in range(50):
        world.live.gone(f"d{number}")
    world.run(0.1)
    world.live.join("d0", "d", 1, 0)
    world.run(0.1)
    assert world.seqs("d0") == [1, 2, 3]


def test_what_waited_for_those_who_left_comes_once_to_one_who_comes_back(make):
    world = make()
    world.watch(50)
    world.full.add("d0")
    world.publish()
    world.run(0.01)
    world.publish()
    for number in range(1, 50):
        world.live.gone(f"d{number}")
    world.full.clear()
    for _ in range(10):
        world.turn()
        world.run(STEP_S)
    assert "d0" in world.rooms["d"]
    world.run(0.1)
    assert world.seqs("d0") == [1, 2]


@pytest.mark.parametrize("seed", range(30))
def test_joining_leaving_and_refusing_at_any_moment_gives_consecutive_seq(make, seed):
    chance = random.Random(seed)
    world = make()
    world.watch(20)
    expected = {}
    for turn in range(300):
        world.publish(count=chance.randrange(1, 4))
        world.run(STEP_S * chance.randrange(8))
        if turn % 10 == 0:
            newest = len(world.readings["d"])
            since = chance.choice([None, newest - chance.randrange(min(newest, 30) + 1)])
            backlog = chance.randrange(5)
            expected[f"v{turn}"] = (max(newest - backlog, 0) if since is None else since) + 1
            assert world.live.join(f"v{turn}", "d", since, backlog) == newest
        if chance.random() < 0.05:
            world.full = {f"v{turn - turn % 10}"}
        elif chance.random() < 0.2:
            world.full = set()
    world.full = set()
    world.run(5.0)
    world.publish()
    world.run(0.1)
    newest = len(world.readings["d"])
    for viewer, first in expected.items():
        assert world.seqs(viewer) == list(range(first, newest + 1))


def test_viewers_of_whom_all_is_known_are_not_looked_at_again(make):
    world = make()
    world.watch(20)
    looks = []
    world.traffic = lambda _: Traffic(0, 0, 0)
    world.progress = lambda viewer: looks.append(viewer) or (0, 0)
    for emitted in (True, False, False):
        if emitted:
            world.publish()
        world.live.look()
    assert sorted(looks) == sorted(f"d{number}" for number in range(20))


def test_of_many_viewers_the_systems_are_asked_in_turns(make):
    world = make()
    world.watch(250)
    closely, asked = [], []
    world.traffic = lambda viewer: closely.append(viewer) or Traffic(len(world.got[viewer]), 0, len(world.got[viewer]))
    world.progress = lambda viewer: (len(world.got[viewer]),) * 2
    world.ask = lambda viewer: asked.append(viewer) or True
    for _ in range(4):  # at the first it isn't known yet how much they were handed a look ago
        closely.clear()
        world.publish()
        world.run(0.1)
        world.live.look()
        assert len(closely) <= 100
    assert sorted(asked) == sorted(world.got)


def may_wait(world):
    world.live.look()
    return world.live.slack_s() > 0.0


def test_sources_may_wait_as_long_as_every_viewer_does(make):
    world = make()
    assert may_wait(world)  # nobody watches
    world.watch(100, "d")
    assert not world.live.slack_s()  # until it is known what they cost
    steady(world, rate=200)
    assert may_wait(world)
    world.watch(1, "e")
    steady(world, rate=200, device="e", seconds=0.1)
    assert not may_wait(world)


def test_what_sources_let_wait_is_here_when_rooms_go(make):
    world = make()
    world.watch(100)
    steady(world, rate=200)
    world.live.look()
    world.got.clear()
    for _ in range(50):
        world.run(world.live.slack_s())
        world.publish(count=4)
        world.run(2 * STEP_S)
    world.run(LONGEST_S)
    assert max(world.delays("d0")) < LONGEST_S / 4
    assert [len(packet) for packet in world.packets("d0")] == [4] * 50


@pytest.mark.parametrize("phase", [0.1, 0.5, 0.9])
def test_what_comes_once_in_a_window_waits_for_nothing_wherever_in_it(make, phase):
    world = make()
    world.watch(100)
    steady(world, rate=200)
    world.run(LONGEST_S * (1 + phase) - world.at % LONGEST_S)
    world.got.clear()
    for number in range(50):
        world.publish()
        world.run(LONGEST_S + (1 if number % 2 else -1) * STEP_S)
    assert max(world.delays("d0")) < STEP_S / 2


def test_those_who_asked_for_few_packets_let_no_source_wait_for_longer_than_others(make):
    world = make()
    world.watch(1, max_hz=0.1)
    steady(world, rate=200, seconds=0.5)
    world.live.look()
    assert 0.0 < world.live.slack_s() <= LONGEST_S
