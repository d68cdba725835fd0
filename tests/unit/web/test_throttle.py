import pytest

from gateway import runtime
from gateway.web import throttle
from gateway.web.throttle import Allowance, Turnstile


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(throttle, "monotonic", lambda: now[0])
    return now


def test_an_allowance_is_a_burst_and_then_so_much_a_second(clock):
    allowance = Allowance(rate=10.0, burst=30.0)
    allowance.spend(30.0)
    assert allowance.pause_s() == 0.0
    allowance.spend(5.0)
    assert allowance.pause_s() == pytest.approx(0.5)
    clock[0] += 0.5
    assert allowance.pause_s() == 0.0
    clock[0] += 1000.0
    allowance.spend(30.0)
    assert allowance.pause_s() == 0.0  # no more was saved up than the burst
    allowance.spend(1.0)
    assert allowance.pause_s() == pytest.approx(0.1)


def test_a_turnstile_lets_others_run_between_the_workers():
    turnstile, did, ticks = Turnstile(), [], []

    def work(name):
        for _ in range(20):
            turnstile.enter()
            did.append((name, len(ticks)))
            turnstile.spend(0.004)

    ticker = runtime.spawn(lambda: [ticks.append(runtime.sleep(0.0)) for _ in range(100_000)])
    workers = [runtime.spawn(work, name) for name in "abc"]
    assert all(worker.join(20.0) for worker in workers)
    ticker.kill()
    in_a_turn = [sum(1 for _, turn in did if turn == one) for one in {turn for _, turn in did}]
    assert max(in_a_turn) <= 4  # 10 ms and the one that goes past it; 60 without
    firsts = [name for name, _ in did[:30]]
    assert {firsts.count(name) > 3 for name in "abc"} == {True}  # nobody has it for himself


def test_who_comes_later_is_let_in_later():
    turnstile, did, late = Turnstile(), [], []

    def work(name):
        turnstile.enter()
        did.append(name)
        turnstile.spend(1e-6)
        if name == 0:
            late.append(runtime.spawn(work, "late"))

    turnstile.enter()
    turnstile.spend(0.004)
    workers = [runtime.spawn(work, number) for number in range(5)]
    assert all(worker.join(20.0) for worker in workers)
    assert late.pop().join(20.0)
    assert did == [0, 1, 2, 3, 4, "late"]


def test_a_turnstile_at_rest_is_no_obstacle():
    turnstile = Turnstile()
    turnstile.enter()
    turnstile.spend(1e-6)
    turnstile.enter()
