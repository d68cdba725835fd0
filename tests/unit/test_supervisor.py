import logging

import pytest

from gateway.adapter import Adapter, AdapterConfig
from gateway.errors import AdapterDown
from gateway.model import RawMessage
from gateway.runtime import Event, monotonic, sleep
from gateway.sources import stop_all
from gateway.supervisor import Supervisor


class Scripted(Adapter[AdapterConfig]):
    """Runs one step of a script each time."""

    Config = AdapterConfig

    def __init__(self, config, steps):
        super().__init__(config)
        self.steps = iter(steps)
        self.runs = 0
        self.refreshed = 0

    def run(self, emit, stop):
        self.runs += 1
        next(self.steps)(emit, stop)


class Refreshing(Scripted):
    def refresh(self):
        self.refreshed += 1
        return True


class Broken(Scripted):
    def refresh(self):
        raise ZeroDivisionError("oops")


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

    def start(*steps, kind=Scripted, **more):
        taken = []
        supervisor = Supervisor(kind(config(**more), steps), taken.extend)
        supervisor.taken = taken
        supervisor.start()
        running.append(supervisor)
        return supervisor

    yield start
    stop_all(running, 5.0)


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

    supervisor = run(quiet_then_one, kind=Refreshing, stall_after="50ms")
    until(lambda: supervisor.state == "up")
    until(lambda: supervisor.check() or supervisor.state == "stalled")
    assert supervisor.reason == "nothing was heard for more than 0.05 s; asked again for messages"
    until(lambda: supervisor.state == "up")
    assert supervisor.reason is None
    assert [message.payload for message in supervisor.taken] == [b"x"]


def checked(supervisor, condition):
    until(lambda: supervisor.check() or condition())


def test_it_is_refreshed_first_then_run_again_and_stays_stalled_until_a_message(run):
    talk = Event()

    def speak(emit, stop):
        emit.up()
        talk.wait(10.0)
        emit(RawMessage(b"x", 0.0))
        stop.wait(10.0)

    supervisor = run(stay, speak, kind=Refreshing, stall_after="200ms")
    until(lambda: supervisor.state == "up")
    checked(supervisor, lambda: supervisor.state == "stalled")
    since = supervisor.since
    assert (supervisor._adapter.refreshed, supervisor._adapter.runs) == (1, 1)
    checked(supervisor, lambda: supervisor._adapter.runs == 2)
    assert (supervisor.state, supervisor.since) == ("stalled", since)
    assert supervisor.reason == "nothing was heard for more than 0.2 s; connected again"
    talk.set()
    until(lambda: supervisor.state == "up")
    assert supervisor._adapter.refreshed == 1


@pytest.mark.parametrize("kind", [Scripted, Broken])
def test_without_anything_to_refresh_it_is_run_again_at_once_and_then_ever_more_rarely(run, kind):
    supervisor = run(*[stay] * 9, kind=kind, stall_after="50ms")
    until(lambda: supervisor.state == "up")
    checked(supervisor, lambda: supervisor._adapter.runs == 4)
    assert supervisor._heard.silent_for(monotonic()) > 4 * 0.05
    assert supervisor.reason == "nothing was heard for more than 0.05 s; connected again"


def test_a_run_that_does_not_end_for_the_ladder_is_ended_where_it_waits(run, monkeypatch):
    monkeypatch.setattr("gateway.supervisor._GRACE_S", 0.1)

    def deaf(emit, stop):
        emit.up()
        while True:
            sleep(0.01)

    supervisor = run(deaf, stay, stall_after="50ms")
    until(lambda: supervisor.state == "up")
    checked(supervisor, lambda: supervisor._adapter.runs == 2)


def test_nothing_known_is_never_stalled(run):
    supervisor = run(stay)
    until(lambda: supervisor.state == "up")
    supervisor._heard.last -= 1e6
    supervisor.check()
    assert supervisor.state == "up"


def test_a_sender_that_waits_for_us_is_not_stalled(run):
    supervisor = run(stay, stay, stall_after="50ms")
    until(lambda: supervisor.state == "up")
    supervisor._heard.last -= 1e6
    supervisor.check(held=True)
    assert supervisor.state == "up"
    checked(supervisor, lambda: supervisor.state == "stalled")


def test_what_is_normal_is_learned(run):
    def speak(emit, stop):
        emit.up()
        for _ in range(3):
            emit(RawMessage(b"x", 0.0))
        stop.wait(10.0)

    supervisor = run(speak, stay)
    until(lambda: len(supervisor.taken) == 3)
    supervisor._heard.last -= 29.0
    supervisor.check()
    assert supervisor.state == "up"
    supervisor._heard.last -= 2.0
    supervisor.check()
    assert supervisor.reason == "nothing was heard for more than 30 s; connecting again"


def test_what_a_broker_had_kept_is_no_sign_of_life(run):
    def repeat(emit, stop):
        emit.up()
        while not stop.wait(0.01):
            emit(RawMessage(b"x", 0.0, retained=True))

    supervisor = run(*[repeat] * 9, stall_after="100ms")
    until(lambda: supervisor.taken)
    checked(supervisor, lambda: supervisor._adapter.runs > 1)
    assert supervisor.state == "stalled"


def test_the_last_words_of_a_run_that_is_ended_are_taken_and_no_sign_of_life(run):
    def last_words(emit, stop):
        stay(emit, stop)
        emit(RawMessage(b"half a line", 0.0))

    supervisor = run(last_words, stay, stall_after="50ms")
    until(lambda: supervisor.state == "up")
    checked(supervisor, lambda: supervisor._adapter.runs == 2)
    assert (supervisor.state, len(supervisor.taken)) == ("stalled", 1)


def test_never_connected_is_stalled_too(run):
    def slow(emit, stop):
        stop.wait(0.1)
        stay(emit, stop)

    supervisor = run(slow, stall_after="50ms")
    checked(supervisor, lambda: supervisor.state == "stalled")
    assert supervisor.reason == "not connected after 0.05 s"
    until(lambda: supervisor.state == "up")


def test_one_that_stalled_stays_so_over_reconnects_until_a_message(run):
    """As when the broker is started again, and the sensor behind it is as dead as before."""
    restart, away, talk = Event(), Event(), Event()

    def until_restart(emit, stop):
        emit.up()
        restart.wait(10.0)
        raise AdapterDown("broker is away")

    def gone(emit, stop):
        away.wait(10.0)
        raise AdapterDown("broker is still away")

    def speak(emit, stop):
        emit.up()
        talk.wait(10.0)
        emit(RawMessage(b"x", 0.0))
        stop.wait(10.0)

    supervisor = run(until_restart, gone, speak, kind=Refreshing, stall_after="200ms")
    until(lambda: supervisor.state == "up")
    checked(supervisor, lambda: supervisor.state == "stalled")
    restart.set()
    until(lambda: supervisor.state == "down")
    away.set()
    until(lambda: supervisor.state != "down")
    assert supervisor.state == "stalled"
    assert supervisor.reason == "nothing was heard for more than 0.2 s; connected again"
    talk.set()
    until(lambda: supervisor.state == "up")
    assert supervisor.reason is None


def test_a_broker_that_closes_again_and_again_hides_no_silence(run):
    def closes(emit, stop):
        emit.up()
        stop.wait(0.05)
        raise AdapterDown("broker has closed the connection")

    supervisor = run(*[closes] * 99, stall_after="500ms")
    checked(supervisor, lambda: supervisor.state == "stalled")
    assert supervisor._adapter.runs > 1
    assert supervisor.reason.startswith("nothing was heard for more than 0.5 s")


def test_a_long_outage_is_no_silence(run):
    restart = Event()

    def until_restart(emit, stop):
        emit.up()
        restart.wait(10.0)
        raise AdapterDown("broker is away")

    supervisor = run(until_restart, stay, stall_after="60s")
    until(lambda: supervisor.state == "up")
    restart.set()
    until(lambda: supervisor.state == "down")
    supervisor._heard.last -= 7200.0
    supervisor.parted_at -= 7200.0
    until(lambda: supervisor.state == "up")
    supervisor.check()
    assert supervisor.state == "up"


@pytest.mark.parametrize("state", ["starting", "down"])
def test_a_run_that_neither_connects_nor_fails_is_begun_again(run, monkeypatch, state):
    monkeypatch.setattr("gateway.supervisor._TRY_LEAST_S", 0.05)

    def hang(emit, stop):
        stop.wait(10.0)

    first = [down] if state == "down" else []
    supervisor = run(*first, hang, hang, stay, stall_after="50ms")
    until(lambda: supervisor.state == state)
    checked(supervisor, lambda: supervisor.state == "stalled")
    checked(supervisor, lambda: supervisor._adapter.runs == len(first) + 2)
    assert supervisor.reason == "not connected after 0.05 s; connecting again"
    checked(supervisor, lambda: supervisor._adapter.runs == len(first) + 3)
    until(lambda: supervisor.state == "up")
    assert supervisor.reason is None


def test_a_run_that_is_slow_to_connect_is_let_be(run):
    supervisor = run(lambda emit, stop: stop.wait(10.0), stall_after="50ms")
    checked(supervisor, lambda: supervisor.state == "stalled")
    supervisor._trying_since -= 29.0
    supervisor.check()
    assert not supervisor._stop_run.is_set()


def test_a_remark_is_shown_while_it_is_up(run):
    granted = Event()

    def refused(emit, stop):
        emit.up("a part is refused")
        emit(RawMessage(b"x", 0.0))
        granted.wait(10.0)
        emit.up()
        stop.wait(10.0)

    supervisor = run(refused)
    until(lambda: supervisor.reason == "a part is refused")
    assert supervisor.state == "up"
    assert supervisor.taken
    granted.set()
    until(lambda: supervisor.reason is None)
    assert supervisor.state == "up"


def test_one_that_ignores_stop_is_ended_where_it_waits(run):
    def deaf(emit, stop):
        emit.up()
        while True:
            sleep(0.1)

    supervisor = run(deaf)
    until(lambda: supervisor.state == "up")
    stop_all([supervisor], 0.1)
    assert supervisor._task.join(5.0)


def test_what_is_secret_is_taken_out_of_reasons(caplog):
    def refused(emit, stop):
        raise AdapterDown("the broker refuses hunter22")

    def broken(emit, stop):
        raise ValueError("hunter22 is no number")

    for step, reason in (
        (refused, "the broker refuses …"),
        (broken, "defect in the adapter: ValueError: … is no number"),
    ):
        supervisor = Supervisor(
            Scripted(config(), [step]), lambda messages: None, lambda text: text.replace("hunter22", "…")
        )
        supervisor.start()
        until(lambda: supervisor.state in ("down", "failed"))  # noqa: B023
        assert supervisor.reason == reason
        stop_all([supervisor], 5.0)


def test_what_comes_after_the_end_stays_with_its_sender(run):
    supervisor = run(stay)
    until(lambda: supervisor.state == "up")
    supervisor(RawMessage(b"1", 1.0))
    stop_all([supervisor], 5.0)
    supervisor.retire()
    supervisor(RawMessage(b"2", 1.0))
    assert [message.payload for message in supervisor.taken] == [b"1"]
