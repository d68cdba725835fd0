import pytest

from gateway.ledger import Ledger
from gateway.meters import Meters
from gateway.model import Outcome
from gateway.soundings import Soundings


@pytest.fixture
def clock(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("gateway.soundings.monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def ledger():
    return Ledger(["a"])


@pytest.fixture
def soundings(clock, ledger):
    return Soundings(None, ledger, Meters())


def test_quiet_is_not_stuck(clock, soundings):
    assert soundings.stuck_s() == 0.0
    clock[0] += 3600.0
    assert soundings.stuck_s() == 0.0


def test_stuck_is_what_waits_while_nothing_ends(clock, ledger, soundings):
    ledger.received("a")
    clock[0] += 5.0
    assert soundings.stuck_s() == 0.0  # it has just been seen
    ledger.received("a")
    clock[0] += 7.0
    assert soundings.stuck_s() == 7.0
    ledger.ended("a", Outcome.STORED)
    assert soundings.stuck_s() == 0.0
