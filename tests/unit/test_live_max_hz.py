"""Viewers who asked for at most so many packets a second; in simulated time."""

import random
from itertools import pairwise

import orjson
import pytest

from gateway.live.thinning import Thinned, interval_s
from gateway.model import Reading, encode_body
from tests.support.live_world import STEP_S, simulated

SPIKE = 1000


@pytest.fixture
def world(monkeypatch):
    with simulated(monkeypatch) as made:
        yield made


def noise(seq):
    return SPIKE + seq if seq % 100 == 50 else -SPIKE - seq if seq % 100 == 70 else random.Random(seq).uniform(-1, 1)


def flood(world, seconds, *, rate=500):
    for _ in range(round(seconds * rate)):
        world.publish(value=noise)
        world.run(1 / rate)


def accounts(world, viewer):
    """Return every packet of readings as (when, from, to, readings, whether some were left out)."""
    found = []
    for at, event, data in world.got.get(viewer, ()):
        if event == "gap":
            found.append((at, data["from"], data["to"], [], True))
        elif event == "readings":
            mark = data.get("thinned")
            first, last = data["readings"][0]["seq"], data["readings"][-1]["seq"]
            found.append((at, mark["from"] if mark else first, mark["to"] if mark else last, data["readings"], mark))
    return found


def assert_honest(world, viewer, first):
    """Every seq is accounted for once, and nothing that is left out lies outside of what is in its packet."""
    position = first - 1
    for _, begin, end, readings, thinned in accounts(world, viewer):
        assert begin == position + 1
        position = end
        left = world.readings["d"][begin - 1 : end]
        if not thinned:
            assert [r["seq"] for r in readings] == [r.seq for r in left]
        else:
            shown, all_of = [r["values"]["n"] for r in readings], [r.values["n"] for r in left]
            assert (min(shown), max(shown), shown[-1]) == (min(all_of), max(all_of), all_of[-1])
            assert len(readings) < len(left)
    return position


@pytest.mark.parametrize("max_hz", [0.5, 1, 3, 10])
def test_at_most_so_many_packets_a_second_with_the_newest_and_every_peak(world, max_hz):
    world.watch(1, max_hz=max_hz)
    world.publish(value=noise)
    began = world.at
    flood(world, 6.0)
    moments = [at for at, *_ in accounts(world, "d0")]
    assert 6.0 * max_hz * 0.7 <= len(moments) <= 6.0 * max_hz + 2
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert min(pauses) >= 1 / max_hz - 2 * STEP_S
    assert max(pauses) <= 2 / max_hz + 0.1
    assert world.at - began - 6.0 < 0.1
    position = assert_honest(world, "d0", 1)
    peaks = {r.seq for r in world.readings["d"][:position] if abs(r.values["n"]) >= SPIKE}
    if max_hz == 10:  # one of each kind at most in a packet
        assert peaks <= set(world.seqs("d0"))


def test_a_device_that_is_slower_than_that_is_shown_whole_and_at_once(world):
    world.watch(1, max_hz=5)
    for _ in range(20):
        world.publish()
        world.run(0.3)
    assert world.seqs("d0") == list(range(1, 21))
    assert max(world.delays("d0")) < STEP_S / 2
    assert not any(thinned for *_, thinned in accounts(world, "d0"))


def test_many_who_ask_for_about_the_same_share_one_packet(world):
    for number in range(50):
        world.live.join(f"v{number}", "d", None, 0, 1 + number / 2000)
    world.run(0.2)
    sent = []
    world.send_room, send_room = lambda *args: sent.append(args) or send_room(*args), world.send_room
    flood(world, 3.0)
    assert len(sent) <= 4
    assert len({tuple(world.seqs(f"v{number}")) for number in range(50)}) == 1


def test_others_of_the_same_device_see_everything(world):
    world.live.join("few", "d", None, 0, 1)
    world.live.join("all", "d", None, 0)
    world.run(0.2)
    flood(world, 2.0)
    world.run(0.1)
    assert world.seqs("all") == list(range(1, 1001))
    assert len(world.packets("few")) <= 3
    assert world.live.watchers("d") == 2
    world.live.announce_watchers()
    for viewer in ("few", "all"):
        assert world.got[viewer][-1][1:] == ("room_info", {"device": "d", "watchers": 2})


@pytest.mark.parametrize(("since", "backlog"), [(0, 0), (700, 0), (None, 1), (None, 300)])
def test_what_was_asked_for_comes_whole_and_then_few(world, since, backlog):
    world.watch(1, max_hz=1)
    flood(world, 2.5)
    newest = world.live.join("late", "d", since, backlog, 1)
    first = (newest - backlog if since is None else since) + 1
    flood(world, 3.0)
    assert_honest(world, "late", first)
    assert set(world.seqs("late")) >= set(range(first, newest + 1))
    assert "late" in world.rooms["d/1"]


def test_one_that_falls_behind_gets_few_of_what_it_missed_too(world):
    world.watch(1, max_hz=1)
    flood(world, 2.0)
    world.full.add("d0")
    flood(world, 8.0)
    packets = len(world.packets("d0"))
    world.full.clear()
    flood(world, 5.0)
    assert "d0" in world.rooms["d/1"]
    assert_honest(world, "d0", 1)
    assert len(world.packets("d0")) - packets <= 9


@pytest.mark.parametrize("seed", range(20))
def test_joining_refusing_and_coming_back_at_any_moment_leaves_nothing_unaccounted(world, seed):
    chance = random.Random(seed)
    expected = {}
    for turn in range(60):
        world.publish(count=chance.randrange(1, 200), value=noise)
        world.run(STEP_S * chance.randrange(60))
        if turn % 5 == 0:
            newest = len(world.readings["d"])
            since = chance.choice([None, newest - chance.randrange(min(newest, 3000))])
            expected[f"v{turn}"] = (newest if since is None else since) + 1
            world.live.join(f"v{turn}", "d", since, 0, chance.choice([2, 5, 20, None]))
        if chance.random() < 0.2:
            world.full = {chance.choice(list(expected))}
        elif chance.random() < 0.5:
            world.full = set()
    world.full = set()
    world.run(5.0)
    world.publish(value=noise)
    world.run(1.0)
    for viewer, first in expected.items():
        assert assert_honest(world, viewer, first) == len(world.readings["d"])


def test_a_device_whose_metrics_have_ever_new_names_costs_a_bounded_amount(world):
    waiting = Thinned("d")
    for seq in range(1, 2000):
        values = {f"{seq}-{number}": number for number in range(200)}
        waiting.add([Reading("d", 0.0, values, encode_body(0.0, values), seq)])
    (packet,) = waiting.take()
    payload = orjson.dumps(packet.payload)
    assert len(payload) < 100 * 1024
    assert b'"seq":1999,' in payload
    assert packet.upto == 1999
    assert waiting.take() == []


def test_readings_that_could_not_be_kept_are_thinned_as_well(world):
    world.watch(1, max_hz=2)
    for _ in range(500):
        world.publish(kept=False)
        world.run(0.002)
    assert 2 <= len(world.packets("d0")) <= 3
    marks = [data["thinned"] for _, event, data in world.got["d0"] if "thinned" in data]
    assert marks == [{"from": None, "to": None}] * len(marks)
    assert marks


@pytest.mark.parametrize(
    ("max_hz", "expected"), [(None, 0.0), (1000, 0.05), (20, 0.05), (10, 0.1), (3, 0.35), (1, 1.0), (0.1, 10.0)]
)
def test_intervals_are_never_shorter_than_asked_for(max_hz, expected):
    assert interval_s(max_hz) == expected
