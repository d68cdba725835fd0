import logging

import pytest

from gateway.adapter import Adapter, AdapterConfig
from gateway.errors import AdapterDown
from gateway.model import RawMessage
from gateway.runtime import monotonic, sleep
from gateway.supervisor import Supervisor


class Scripted(Adapter[AdapterConfig]):
    """Runs one step of a script each time."""

    Config = AdapterConfig

    def __init__(self, config, steps):
        super().__init__(config)
        self.steps = iter(steps)

    def run(self, emit, stop):
        next(self.steps)(emit, stop)


def config(**more):
    return AdapterConfig(name="one", type="scripted", **more)


def stay(emit, stop):
    emit.up()
    stop.wait(10.0)


def down(emit, stop):
    raise AdapterDown("broker is away")


def defect(emit, stop):
    raise ZeroDivisionError("oops")


def until(condition):
    deadline = monotonic() + 5.0
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


@pytest.fixture
def run():
    running = []

    def start(*steps, **more):
        taken = []
        supervisor = Supervisor(Scripted(config(**more), steps), taken.append)
        supervisor.taken = taken
        supervisor.start()
        running.append(supervisor)
        return supervisor

    yield start
    for supervisor in running:
        supervisor.stop()
        supervisor.join()


def test_comes_up_and_stops(run):
    supervisor = run(stay)
    until(lambda: supervisor.state == "up")
    assert supervisor.reason is None


def test_is_tried_again_after_the_other_end_was_away(run, caplog):
    caplog.set_level(logging.INFO)
    supervisor = run(down, down, stay)
    until(lambda: supervisor.state == "down")
    assert supervisor.reason == "broker is away"
    until(lambda: supervisor.state == "up")
    assert len([r for r in caplog.records if "broker is away" in r.getMessage()]) == 1  # a line a change, not a try


def test_a_defect_is_failed_with_one_traceback(run, caplog):
    supervisor = run(defect)
    until(lambda: supervisor.state == "failed")
    assert supervisor.reason == "defect in the adapter: ZeroDivisionError: oops"
    assert sum(record.exc_info is not None for record in caplog.records) == 1


def test_ending_by_itself_is_down(run):
    supervisor = run(lambda emit, stop: None, stay)
    until(lambda: supervisor.state == "down")
    assert supervisor.reason == "the adapter ended by itself"


def test_disabled_is_never_run(run):
    assert run(enabled=False).state == "disabled"


def test_silence_past_its_limit_is_stalled_and_a_message_ends_it(run):
    def quiet_then_one(emit, stop):
        emit.up()
        until(lambda: supervisor.state == "stalled")
        emit(RawMessage(b"x", 0.0))
        stop.wait(10.0)

    supervisor = run(quiet_then_one, stall_after="50ms")
    until(lambda: supervisor.state == "up")
    until(lambda: supervisor.check() or supervisor.state == "stalled")
    assert "nothing was heard" in supervisor.reason
    until(lambda: supervisor.state == "up")
    assert [message.payload for message in supervisor.taken] == [b"x"]


def test_one_that_ignores_stop_is_ended_where_it_waits(run):
    def deaf(emit, stop):
        emit.up()
        while True:
            sleep(0.1)

    supervisor = run(deaf)
    until(lambda: supervisor.state == "up")
    supervisor.stop()
    began = monotonic()
    supervisor.join()
    assert monotonic() - began < 10.0
