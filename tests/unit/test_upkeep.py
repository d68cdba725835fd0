"""What the daemon does again and again: in which order."""

import socket
import time
from types import SimpleNamespace

from gateway import runtime
from gateway.chores import Chores
from gateway.upkeep import Upkeep


def idle(*_):
    """Do nothing."""


def test_what_viewers_answered_while_the_hub_was_busy_is_read_before_they_are_looked_at():
    (ours, theirs), (request, asker) = socket.socketpair(), socket.socketpair()
    order, stopping = [], runtime.Event()

    def read_answer():
        runtime.wait_readable(ours.fileno(), timeout_s=5.0)
        order.append("read")

    def be_busy():
        runtime.wait_readable(request.fileno(), timeout_s=5.0)
        theirs.sendall(b"3")
        time.sleep(0.5)  # past the time to look

    def look():
        order.append("looked")
        stopping.set()

    live = SimpleNamespace(announce_watchers=idle, look=look)
    others = SimpleNamespace(tick=idle, keep_ledger=idle, ledger=SimpleNamespace(totals=idle))
    upkeep = Upkeep(Chores([]), others, others, [], others, live, others, others, others, idle)
    with ours, theirs, request, asker:
        tasks = [runtime.spawn(read_answer), runtime.spawn(be_busy), runtime.spawn(upkeep.serve_viewers, stopping)]
        runtime.sleep()
        asker.sendall(b"?")
        assert all(task.join(5.0) for task in tasks)
    assert order == ["read", "looked"]
