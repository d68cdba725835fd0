from contextlib import closing

import pytest

from gateway.chores import Chores
from gateway.notify import Notifier
from gateway.watchdog import Watchdog
from tests.support.service_manager import ServiceManager

PERIOD_S = 40.0


class Rig:
    """A watchdog, its stages' ages, and a clock that the test moves."""

    def __init__(self, systemd, notifier):
        self.now = 1000.0
        self.systemd = systemd
        self.ages = {"intake": 0.0, "journal writer": 0.0}
        stages = {name: lambda name=name: self.ages[name] for name in self.ages}
        self.summary = "fine"
        self.watchdog = Watchdog(notifier, stages, self._say, lambda: self.now)

    def _say(self):
        if self.summary is None:
            raise ZeroDivisionError("a defect")
        return self.summary

    def look_for(self, seconds):
        """Return how many signs of life came meanwhile."""
        before = self.systemd.signs_of_life()
        for _ in range(int(seconds)):
            self.now += 1.0
            self.watchdog.look()
        return self.systemd.signs_of_life() - before


@pytest.fixture
def rig(tmp_path):
    with (
        ServiceManager(tmp_path, watchdog_s=PERIOD_S) as systemd,
        closing(Notifier(systemd.environment)) as notifier,
    ):
        yield Rig(systemd, notifier)


def test_signs_of_life_come_often_enough_and_no_oftener(rig):
    assert rig.look_for(PERIOD_S) == 4
    assert rig.systemd.values("STATUS") == ["fine"]


def test_one_stage_that_hangs_is_enough_and_is_named_once(rig, caplog):
    rig.ages["journal writer"] = PERIOD_S / 2 + 1
    assert rig.look_for(PERIOD_S) == 0
    assert rig.watchdog.problems == ["the gateway's journal writer has made no progress for 21 s"]
    (record,) = caplog.records
    assert "journal writer" in record.getMessage()
    assert "test_one_stage_that_hangs" in record.detail  # the stacks


def test_a_stage_that_goes_on_again_is_well_again(rig, caplog):
    rig.ages["intake"] = PERIOD_S
    rig.look_for(5)
    rig.ages["intake"] = 0.0
    assert rig.look_for(PERIOD_S) == 4
    assert rig.watchdog.problems == []
    assert caplog.messages[-1] == "every stage of the gateway goes on again"


def test_after_a_pause_of_the_whole_process_the_stages_get_a_turn_first(rig):
    rig.look_for(1)
    rig.now += 3600.0
    rig.ages = dict.fromkeys(rig.ages, 3600.0)
    assert rig.look_for(1) == 1
    rig.ages = dict.fromkeys(rig.ages, 0.0)
    rig.look_for(5)
    assert rig.watchdog.problems == []


class Turns:
    """Stands for the event that ends it: it is set after so many looks, between which time goes by."""

    def __init__(self, rig, count):
        self._rig = rig
        self._left = count

    def wait(self, timeout_s):
        self._rig.now += timeout_s
        self._left -= 1
        return self._left < 0


def test_a_defect_of_the_summary_ends_no_gateway(rig):
    rig.summary, notes = None, []
    rig.watchdog.run(Turns(rig, PERIOD_S), Chores(notes))
    assert rig.systemd.signs_of_life() == 4
    assert notes == ["the gateway's own look at its stages failed; its log says why"]
