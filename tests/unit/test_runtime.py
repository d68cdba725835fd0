import gc
import re
import socket
import threading
import time

import pytest

from gateway import runtime


def until(condition):
    deadline = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline
        runtime.sleep(0.005)


def test_inbox_takes_items_from_native_threads_in_order():
    got = []
    inbox = runtime.Inbox(got.append)
    task = runtime.spawn(inbox.run)
    thread = runtime.NativeThread(target=lambda: [inbox.post(n) for n in range(10_000)])
    thread.start()
    until(lambda: len(got) == 10_000)
    assert got == list(range(10_000))
    inbox.post("last")
    inbox.close()
    assert task.join(5.0)
    assert got[-1] == "last"


def test_an_inbox_tells_what_it_has_in_hand_or_what_waits():
    release, got = runtime.Event(), []

    def handle(item):
        got.append(item)
        release.wait(5.0)

    inbox = runtime.Inbox(handle)
    assert inbox.in_hand() == {}
    for item in ("first", "second"):
        inbox.post(item)
    assert inbox.in_hand() == {"item": "first"}  # nobody handles it yet
    task = runtime.spawn(inbox.run)
    until(lambda: got == ["first"])
    assert inbox.in_hand() == {"item": "first"}
    release.set()
    until(lambda: got == ["first", "second"])
    inbox.close()
    assert task.join(5.0)
    assert inbox.in_hand() == {}


def test_a_failing_handler_does_not_end_the_inbox(caplog):
    got = []

    def handle(item):
        if item == 1:
            raise ValueError("bad item")
        got.append(item)

    inbox = runtime.Inbox(handle)
    task = runtime.spawn(inbox.run)
    for number in range(3):
        inbox.post(number)
    until(lambda: len(got) == 2)
    assert "bad item" in caplog.text
    inbox.close()
    assert task.join(5.0)


def test_worker_runs_off_the_hub_and_hands_back_results_and_errors():
    worker = runtime.Worker("test")
    ticks = []
    ticker = runtime.spawn(lambda: [ticks.append(runtime.sleep(0.001)) for _ in range(1000)])
    assert worker.call(threading.get_ident) != threading.get_ident()
    worker.call(time.sleep, 0.1)
    assert len(ticks) > 10  # the hub went on while the thread slept
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 / 0)
    assert worker.call(lambda: "still there") == "still there"
    worker.close()
    ticker.kill()
    until(lambda: worker._task.join(0.0))


def test_a_call_that_takes_too_long_is_given_up_and_its_result_dropped():
    worker, go_on, begun = runtime.Worker("reader"), threading.Event(), []

    def stuck():
        begun.append("stuck")
        assert go_on.wait(10.0)
        return "late"

    def behind():
        with pytest.raises(TimeoutError):
            worker.call_within(0.05, begun.append, "never")

    waiting = runtime.spawn(behind)
    with pytest.raises(TimeoutError, match=r"reader: no answer for 0\.05 s"):
        worker.call_within(0.05, stuck)
    assert waiting.join(5.0)
    for _ in range(3):
        behind()  # at once: nothing more is queued
    assert worker._jobs.qsize() <= 1
    go_on.set()
    until(lambda: worker._began is None)
    assert worker.call_within(5.0, lambda: "in time") == "in time"
    assert begun == ["stuck"]
    worker.close()


def test_waiting_for_ones_turn_is_no_reason_to_give_up():
    worker, done = runtime.Worker("reader"), []
    for number in range(60):
        runtime.spawn(lambda number=number: done.append(worker.call_within(1.0, lambda: time.sleep(0.02) or number)))
    until(lambda: len(done) == 60)
    assert done == list(range(60))
    with pytest.raises(ZeroDivisionError):
        worker.call_within(5.0, lambda: 1 / 0)
    worker.close()


def test_event_wakes_all_who_wait_and_times_out():
    event = runtime.Event()
    assert not event.wait(0.01)
    woken = []
    for number in range(3):
        runtime.spawn(lambda number=number: woken.append((number, event.wait(5.0))))
    runtime.sleep(0)
    event.set()
    event.set()
    until(lambda: len(woken) == 3)
    assert all(result for _, result in woken)
    assert event.wait(0.0)


def test_wait_readable():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not runtime.wait_readable(ours.fileno(), 0.01)
        theirs.send(b"x")
        assert runtime.wait_readable(ours.fileno(), 5.0)
        assert runtime.read_now(ours.fileno(), 10) == b"x"


def test_a_task_that_fails_is_logged_and_one_that_hangs_can_be_killed(caplog):
    assert runtime.spawn(lambda: 1 / 0).join(5.0)
    assert "ZeroDivisionError" in caplog.text
    hanging = runtime.spawn(runtime.sleep, 60.0)
    assert not hanging.join(0.01)
    hanging.kill()
    assert hanging.join(5.0)


def test_turns_of_the_hub_are_measured_by_the_clock_and_by_cpu_time():
    import eventlet.hubs  # after gateway.runtime, which answers its warning

    hub = eventlet.hubs.get_hub()
    poll, lag = hub.do_poll, runtime.HubLag()
    inbox = runtime.Inbox(print)
    reader = runtime.spawn(inbox.run)  # a hub that waits for no descriptor doesn't look
    try:
        runtime.sleep(0.01)
        lag.watch()
        runtime.sleep(0.01)
        assert lag.long_turns == 0
        time.sleep(0.1)  # holds the hub without working: only the clock sees it
        runtime.sleep(0.01)
        assert lag.lag_ms()["max"] >= 100.0
        assert lag.long_turns == 0
        busy_until = time.thread_time() + 0.06
        while time.thread_time() < busy_until:
            pass
        runtime.sleep(0.01)
        assert lag.long_turns == 1
        assert lag.lag_ms()["max"] >= lag.lag_ms()["cpu_max"] >= 60.0
        assert lag.lag_ms()["p50"] == 0.0
    finally:
        hub.do_poll = poll
        inbox.close()
        assert reader.join(5.0)


def test_stamps_are_whole_microseconds_of_the_clock():
    before = time.time()
    stamps = [runtime.now() for _ in range(1000)]
    assert all(round(stamp, 6) == stamp for stamp in stamps)
    assert before - 1e-5 <= stamps[0] <= stamps[-1] <= time.time()


def waits_for_the_test(event):
    event.wait(30.0)


def test_stacks_show_green_threads_also_after_the_collector_was_told_to_pass_over_them():
    event = runtime.Event()
    tasks = [runtime.spawn(waits_for_the_test, event) for _ in range(3)]
    runtime.sleep(0)
    gc.freeze()
    try:
        told = runtime.stacks()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
    assert re.search(r"(?m)^3 x\n(  .*\n)*?.* in waits_for_the_test\n", told)
    assert "test_stacks_show_green_threads" in told
    event.set()
    assert all(task.join(5.0) for task in tasks)
