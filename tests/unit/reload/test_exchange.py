import pytest

from gateway.adapter import Adapter, AdapterConfig
from gateway.errors import AdapterDown
from gateway.ledger import Ledger
from gateway.plans import Plan
from gateway.reload.exchange import Exchange
from gateway.reload.report import Change
from gateway.runtime import Event, spawn
from gateway.sources import Sources, stop_all


class Config(AdapterConfig):
    works: bool = True
    speed: int = 1


class Source(Adapter[Config]):
    Config = Config
    runs = 0

    def run(self, emit, stop):
        type(self).runs += 1
        if not self.config.works:
            raise AdapterDown("nobody answers")
        emit.up()
        stop.wait(10.0)


class Refusing(Source):
    def __init__(self, config):
        raise ZeroDivisionError("a defect")


class Ways:
    """What is left of the pipeline here."""

    def __init__(self):
        self.ledger = Ledger([])
        self.used = {}

    def use(self, name, intake, profiles):
        self.used[name] = profiles

    def forget(self, name):
        del self.used[name]

    def take(self, name, message):
        """Take nothing."""

    def slack_s(self):
        return 0.0


def plan(name, kind=Source, profiles=None, **more):
    return Plan(kind, kind.Config(name=name, type="source", **more), profiles or {})


def named(*some):
    return {each.config.name: each for each in some}


@pytest.fixture
def ways():
    return Ways()


@pytest.fixture
def exchange(ways):
    sources = Sources(lambda plan: object(), ways)
    yield Exchange(sources, Event(), up_within_s=0.3)
    stop_all(sources.supervisors, 5.0)


def states(exchange):
    return {supervisor.config.name: supervisor.state for supervisor in exchange.sources.supervisors}


def test_what_is_the_same_is_left_alone(exchange):
    exchange.to(named(plan("a"), plan("b")))
    untouched = exchange.sources.supervisor("a")
    assert exchange.to(named(plan("a"), plan("b", speed=2))) == [Change("b", "changed", "up")]
    assert exchange.sources.supervisor("a") is untouched
    assert exchange.to(named(plan("a"), plan("b", speed=2))) == []


def test_sources_come_and_go_in_the_order_of_the_file(exchange, ways):
    exchange.to(named(plan("a"), plan("b")))
    changes = exchange.to(named(plan("c"), plan("b")))
    assert changes == [Change("a", "removed", "removed"), Change("c", "added", "up")]
    assert states(exchange) == {"c": "up", "b": "up"}
    assert list(states(exchange)) == ["c", "b"]
    assert list(ways.used) == ["b", "c"]


def test_a_change_of_profiles_lets_the_adapter_run_on(exchange, ways):
    old, new = object(), object()
    exchange.to(named(plan("a", profiles={"p": old})))
    untouched = exchange.sources.supervisor("a")
    assert exchange.to(named(plan("a", profiles={"p": new}))) == [Change("a", "profiles", "exchanged")]
    assert exchange.sources.supervisor("a") is untouched
    assert ways.used["a"] == {"p": new}
    assert exchange.to(named(plan("a", profiles={"p": new}))) == []


def test_what_worked_before_comes_back_when_its_change_does_not_work(exchange):
    exchange.to(named(plan("a")))
    (change,) = exchange.to(named(plan("a", works=False)))
    assert change == Change("a", "changed", "reverted", "nobody answers")
    assert exchange.sources.supervisor("a").config.works
    assert exchange.sources.plans["a"] == plan("a")
    (again,) = exchange.to(named(plan("a", works=False)))
    assert again.outcome == "reverted", "the file still says so: it is tried again"


def test_what_did_not_work_before_is_tried_further_with_its_new_settings(exchange):
    exchange.to(named(plan("a", works=False)))
    (change,) = exchange.to(named(plan("a", works=False, speed=2)))
    assert change == Change("a", "changed", "waiting", "nobody answers")
    assert exchange.sources.supervisor("a").config.speed == 2


def test_what_is_added_is_tried_further(exchange):
    assert exchange.to(named(plan("a", works=False))) == [Change("a", "added", "waiting", "nobody answers")]
    assert exchange.sources.plans


def test_a_source_can_be_disabled_and_enabled(exchange):
    exchange.to(named(plan("a")))
    assert exchange.to(named(plan("a", enabled=False))) == [Change("a", "changed", "disabled")]
    assert states(exchange) == {"a": "disabled"}
    assert exchange.to(named(plan("a"))) == [Change("a", "changed", "up")]


def test_what_can_not_be_made_changes_nothing(exchange):
    exchange.to(named(plan("a"), plan("b")))
    untouched = [exchange.sources.supervisor(name) for name in "ab"]
    with pytest.raises(ZeroDivisionError):
        exchange.to(named(plan("a", speed=2), plan("c", kind=Refusing)))
    assert [exchange.sources.supervisor(name) for name in "ab"] == untouched
    assert states(exchange) == {"a": "up", "b": "up"}


def test_accounts_outlive_their_sources(exchange, ways):
    exchange.to(named(plan("a"), plan("b")))
    ways.ledger.received("a")
    exchange.to(named(plan("b")))
    assert list(ways.ledger.by_source()) == ["b"]
    assert (ways.ledger.in_flight, ways.ledger.total()["in_flight"]) == (1, 0)
    exchange.to(named(plan("b"), plan("a")))
    assert ways.ledger.of("a").received == 1


def test_nothing_is_waited_for_or_started_once_the_gateway_stops(exchange):
    exchange.to(named(plan("a")))
    runs = Source.runs
    exchange.stopping.set()
    exchange.to(named(plan("a", speed=2)))
    assert Source.runs == runs


def test_a_stop_ends_the_waiting(exchange):
    patient = Exchange(exchange.sources, exchange.stopping, up_within_s=60.0)
    task = spawn(patient.to, named(plan("a", works=False)))
    exchange.stopping.set()
    assert task.join(5.0)
