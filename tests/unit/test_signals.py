import os
import signal
import time

import pytest

from gateway import runtime
from gateway.signals import Signals

NUMBERS = (signal.SIGUSR1, signal.SIGUSR2)


@pytest.fixture
def as_it_was():
    before = [(number, signal.getsignal(number)) for number in (*NUMBERS, signal.SIGALRM)]
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.usefixtures("as_it_was")
@pytest.mark.parametrize("first", [signal.SIGUSR1, signal.SIGALRM], ids=["its handler fails", "nobody's"])
def test_a_signal_is_handled_whatever_became_of_the_one_before(first, caplog):
    handled = []
    signals = Signals({signal.SIGUSR1: lambda: 1 / 0, signal.SIGUSR2: lambda: handled.append(True)})
    signals.install()
    signal.signal(signal.SIGALRM, lambda *_: None)  # another's, but the wake-up descriptor is the process's
    task = runtime.spawn(signals.run)
    for number in (first, signal.SIGUSR2):
        os.kill(os.getpid(), number)
    deadline = time.monotonic() + 5.0
    while not handled:
        assert time.monotonic() < deadline
        runtime.sleep(0.01)
    task.kill()
    assert len(caplog.records) == (first is signal.SIGUSR1)
