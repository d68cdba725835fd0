"""Readings that are stamped while the gateway's clock is not set yet."""

from contextlib import nullcontext

import orjson
import pytest

from adapters.simulator import Simulator, SimulatorConfig
from gateway import runtime
from gateway.adapter import PayloadConfig
from gateway.deliveries import Deliveries
from gateway.intake import Intake
from gateway.journal import Committed, Rebased, Stored
from gateway.ledger import Ledger
from gateway.model import RawMessage
from gateway.pipeline import Pipeline, Sinks
from gateway.supervisor import Supervisor

SINCE_1970 = 72.5
TODAY = 1_767_225_600.5


def body(payload: bytes, arrived: float) -> dict[str, object]:
    config = PayloadConfig(device="kitchen")
    entry = Intake("source", [config], {}, Deliveries()).take(RawMessage(payload, arrived))
    return orjson.loads(entry.readings[0].body)


def test_a_stamp_of_an_unset_clock_is_marked():
    assert body(b'{"t": 1}', SINCE_1970) == {"ts": SINCE_1970, "values": {"t": 1}, "clock": "unset"}


def test_a_stamp_of_a_set_clock_is_not():
    assert body(b'{"t": 1}', TODAY) == {"ts": TODAY, "values": {"t": 1}}


@pytest.mark.parametrize("ts", [TODAY, 3.0])
def test_the_source_answers_for_its_own_times(ts):
    assert body(b'{"t": 1, "ts": %f}' % ts, SINCE_1970) == {"ts": ts, "values": {"t": 1}}


def test_a_clock_before_2025_was_never_set():
    assert [runtime.is_set(at) for at in (0.0, 1_735_689_599.9, 1_735_689_600.0, TODAY)] == [False, False, True, True]


def test_the_boot_is_known_to_all_of_its_processes():
    assert runtime.boot_id() == runtime.boot_id()
    earlier = runtime.since_boot()
    assert 0 < earlier <= runtime.since_boot()


class Sink:
    """Stands for devices, live and overview: keeps what it was told."""

    def __init__(self):
        self.told = []

    def together(self):
        return nullcontext()

    def __getattr__(self, name):
        return lambda *arguments: self.told.append((name, *arguments))


def test_viewers_and_devices_learn_of_times_that_were_put_right():
    sink = Sink()
    pipeline = Pipeline({}, None, Sinks(Ledger([]), sink, Deliveries(), sink, sink), {})
    newest = Stored(9, TODAY, b'{"ts":%r,"values":{}}' % TODAY)
    pipeline.committed(Committed([], rebased=Rebased("kitchen", 4, 9, TODAY - SINCE_1970, newest)))
    news = {"device": "kitchen", "from": 4, "to": 9, "by": TODAY - SINCE_1970}
    assert ("replace_last", "kitchen", b'{"seq":9,"ts":1767225600.5,"values":{}}') in sink.told
    assert ("tell", "kitchen", "rebased", news) in sink.told
    assert ("touch", ["kitchen"]) in sink.told


def test_since_when_a_source_is_up_is_said_by_the_clock_as_it_is(monkeypatch):
    uptime, now = [50.0], [SINCE_1970]
    monkeypatch.setattr("gateway.supervisor.monotonic", lambda: uptime[0])
    monkeypatch.setattr("gateway.supervisor.now", lambda: now[0])
    supervisor = Supervisor(Simulator(SimulatorConfig(name="one", type="simulator")), lambda messages: None)
    uptime[0] += 20.0
    now[0] = TODAY
    supervisor.clock_set()
    assert supervisor.since == TODAY - 20.0
