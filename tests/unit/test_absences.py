"""Sources that go away and come back, as the journal and the pages are told."""

from types import SimpleNamespace

import pytest

from gateway.absences import Absences
from gateway.journal import Absence

NOW = 1_767_225_600.0
NEVER = float("-inf")


class World:
    """Sources, a clock, and what was told of them."""

    def __init__(self):
        self.at, self.ahead_s = 1000.0, NOW - 1000.0
        self.kept, self.announced, self.sources = [], [], []

    def keep_absence(self, source, reason, began_ago_s, ended_ago_s=None):
        until = None if ended_ago_s is None else self.now() - ended_ago_s
        self.kept.append(Absence(source, reason, self.now() - began_ago_s, until))
        return self.kept[-1] if self.now() >= NOW else None

    def announce(self, event, payload):
        self.announced.append((event, payload))

    def now(self):
        return self.ahead_s + self.at

    def add(self, name="broker", *, state="up", parted_at=None):
        """Return a source, as its supervisor shows it."""
        config = SimpleNamespace(name=name)
        it = Source(config=config, state=state, parted_at=parted_at, changed_at=self.at)
        self.sources.append(it)
        return it


class Source(SimpleNamespace):
    """Stands for a supervisor: one is no other, however alike they are."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def turn(self, state, at, parted_at=None):
        self.state, self.changed_at, self.parted_at = state, at, parted_at


@pytest.fixture
def world(monkeypatch):
    it = World()
    monkeypatch.setattr("gateway.absences.monotonic", lambda: it.at)
    monkeypatch.setattr("gateway.absences.now", it.now)
    return it


@pytest.fixture
def look(world):
    absences = Absences(world, world.announce, _looked_at=1000.0)

    def look(at):
        world.at = at
        absences.look(world.sources)

    look.absences = absences
    return look


def at(moment):
    return NOW + moment - 1000.0


def away(since, until=None, source="broker"):
    return Absence(source, "away", at(since), None if until is None else at(until))


def test_a_source_is_away_from_its_last_connection_to_the_next(world, look):
    broker = world.add()
    look(1001.0)
    broker.turn("down", 1001.5, parted_at=1001.5)
    look(1002.0)
    look(1006.0)
    assert world.kept == []
    look(1007.0)
    assert world.kept == [away(1001.5)]
    look(1030.0)
    broker.turn("up", 1030.25)
    look(1031.0)
    look(1032.0)
    assert world.kept == [away(1001.5), away(1001.5, 1030.25)]
    assert world.announced == [
        ("absence", {"source": "broker", "reason": "away", "from": at(1001.5), "to": None}),
        ("absence", {"source": "broker", "reason": "away", "from": at(1001.5), "to": at(1030.25)}),
    ]


def test_its_end_comes_with_the_beginning_that_was_told_whatever_the_clock_says_by_then(world, look):
    broker = world.add()
    broker.turn("down", 1001.0, parted_at=1001.0)
    look(1010.0)
    world.ahead_s += 50.0
    broker.turn("up", 1020.0)
    look(1021.0)
    assert [payload["from"] for _, payload in world.announced] == [at(1001.0)] * 2
    assert world.announced[-1][1]["to"] == at(1070.0)


def test_a_moment_is_no_absence(world, look):
    broker = world.add()
    for moment in (1010.0, 1020.0, 1030.0):
        broker.turn("down", moment, parted_at=moment)
        look(moment + 4.0)
        broker.turn("up", moment + 4.5)
        look(moment + 5.0)
    assert world.kept == []


def test_a_source_that_is_not_there_at_the_start_is_away_since_the_start(world, look):
    broker = world.add(state="starting", parted_at=NEVER)
    look(1001.0)
    look(1020.0)
    assert world.kept == []  # it may be there
    broker.turn("down", 1021.0, parted_at=NEVER)
    look(1022.0)
    assert world.kept == [away(1000.0)]


def test_a_source_that_is_silent_is_not_away(world, look):
    broker = world.add()
    broker.turn("stalled", 1001.0)
    look(1100.0)
    assert world.kept == []


def test_one_that_is_silent_again_when_it_is_back_was_away(world, look):
    broker = world.add()
    look(1001.0)
    broker.turn("stalled", 1001.0, parted_at=1002.0)
    look(1010.0)
    broker.turn("stalled", 1001.0)
    look(1011.0)
    assert world.kept == [away(1002.0), away(1002.0, 1011.0)]


@pytest.mark.parametrize("change", ["removed", "disabled", "exchanged"])
def test_a_reload_ends_what_it_ends(world, look, change):
    broker = world.add()
    broker.turn("down", 1001.0, parted_at=1001.0)
    look(1010.0)
    world.sources.remove(broker)
    if change != "removed":
        new = world.add(state="starting", parted_at=NEVER)
        look(1011.0)
        assert world.kept == [away(1001.0)]  # not back yet
        is_disabled = change == "disabled"
        new.turn("disabled" if is_disabled else "up", 1012.0, parted_at=NEVER if is_disabled else None)
    look(1012.0)
    assert world.kept == [away(1001.0), away(1001.0, 1012.0)]


def test_what_a_source_of_the_same_name_did_before_is_not_held_against_a_new_one(world, look):
    broker = world.add()
    look(1001.0)
    look(1500.0)
    world.sources.remove(broker)
    world.add(state="down", parted_at=NEVER)
    look(1501.0)
    assert world.kept == []
    look(1506.0)
    assert world.kept == [away(1500.0)]


def test_a_clock_that_leaps_ahead_leaves_a_hole(world, look):
    look(1000.0)
    look.absences.clock_set(NOW)
    assert world.kept == []  # it was before 2025: readings are put right then
    world.ahead_s += 600.0
    look.absences.clock_set(600.0)
    assert world.kept == [Absence("", "clock", NOW, NOW + 600.0)]
    look.absences.clock_set(2.0)
    look.absences.clock_set(-600.0)
    assert len(world.kept) == 1
    assert world.announced == [("absence", {"source": None, "reason": "clock", "from": NOW, "to": NOW + 600.0})]


def test_while_the_clock_is_not_set_it_is_kept_and_no_page_is_told(world, look):
    world.ahead_s = 0.0
    broker = world.add()
    broker.turn("down", 1001.0, parted_at=1001.0)
    look(1010.0)
    assert len(world.kept) == 1
    assert world.announced == []
