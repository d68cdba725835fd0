"""Who comes in, on real sockets."""

import errno
import socket

import pytest

from gateway import runtime
from gateway.chores import Chores
from gateway.web import door
from gateway.web.door import REQUEST_S, Door


class Peers:
    """A listener to which whoever is named comes, each over a pair of sockets."""

    def __init__(self):
        self.coming, self.ours, self.theirs = [], [], {}

    def come(self, *names):
        self.coming += names

    def accept(self):
        from eventlet.greenio import GreenSocket  # after gateway.runtime, which answers its warning

        one = self.coming.pop(0)
        if isinstance(one, Exception):
            raise one
        ours, theirs = socket.socketpair()
        theirs.settimeout(5.0)
        self.ours.append(ours)
        self.theirs[one] = theirs
        return GreenSocket(ours), (one.rstrip("0123456789"), len(self.ours))


@pytest.fixture
def peers():
    peers = Peers()
    yield peers
    for end in (*peers.ours, *peers.theirs.values()):
        end.close()


@pytest.fixture
def clock(monkeypatch):
    now = [runtime.monotonic()]
    monkeypatch.setattr(door, "monotonic", lambda: now[0])
    return now


def let_in(door, peers, *names):
    """Return the connections of those who come, all of whom are let in."""
    peers.come(*names)
    found = []
    for _ in names:
        _, peer = door.accept()
        found.append(door.connection(peer))
    return found


def is_open(end):
    end.setblocking(False)
    try:
        return end.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    finally:
        end.settimeout(5.0)


def test_past_the_bound_who_keeps_us_waiting_the_longest_has_to_go(peers, clock):
    door = Door(peers, 3, 3, lambda host: host)
    asleep, working, late = let_in(door, peers, "a1", "b1", "c1")
    working.serve()
    clock[0] += 1.0
    late.expect(REQUEST_S)
    let_in(door, peers, "d1")
    assert [is_open(peers.theirs[name]) for name in ("a1", "b1", "c1", "d1")] == [False, True, True, True]
    assert len(door) == 3
    assert asleep.deadline is not None


def test_where_nobody_waits_the_newcomer_is_told_so(peers):
    door = Door(peers, 2, 2, lambda host: host)
    for connection in let_in(door, peers, "a1", "b1"):
        connection.serve()
    peers.come("c1", "d1")
    with pytest.raises(IndexError):  # nobody else comes
        door.accept()
    for name in ("c1", "d1"):
        assert peers.theirs[name].recv(1000).startswith(b"HTTP/1.1 503 ")
    assert is_open(peers.theirs["a1"])


def test_one_address_takes_no_room_from_others(peers):
    door = Door(peers, 100, 2, lambda host: host)
    for connection in let_in(door, peers, "a1", "a2"):
        connection.serve()
    peers.come("a3")
    let_in(door, peers, "b1")
    assert peers.theirs["a3"].recv(1000).startswith(b"HTTP/1.1 503 ")
    assert len(door) == 3


def test_another_bound_holds_for_who_comes_then(peers):
    door = Door(peers, 10, 10, lambda host: host)
    for connection in let_in(door, peers, "a1", "b1"):
        connection.serve()
    door.bound(1, 1)
    peers.come("c1")
    with pytest.raises(IndexError):  # nobody else comes
        door.accept()
    assert peers.theirs["c1"].recv(1000).startswith(b"HTTP/1.1 503 ")
    assert all(is_open(peers.theirs[name]) for name in ("a1", "b1"))
    door.bound(3, 1)
    let_in(door, peers, "d1")
    assert len(door) == 3


def test_a_full_table_of_files_is_no_end(peers, clock):
    door = Door(peers, 10, 10, lambda host: host)
    let_in(door, peers, "a1")
    peers.come(OSError(errno.EMFILE, "too many open files"), ConnectionAbortedError(errno.ECONNABORTED, "gone"))
    let_in(door, peers, "b1")
    assert not is_open(peers.theirs["a1"])  # it did nothing, and gave its file
    peers.come(OSError(errno.EBADF, "closed"))
    with pytest.raises(OSError, match="closed"):
        door.accept()


def test_who_never_asks_or_never_ends_is_ended(peers, clock, monkeypatch):
    monkeypatch.setattr(door, "_SWEEP_S", 0.0)
    front = Door(peers, 10, 10, lambda host: host)
    silent, asking, served = let_in(front, peers, "a1", "b1", "c1")
    asking.expect(REQUEST_S)
    served.serve()
    sweeper = runtime.spawn(front.run, Chores([]))
    runtime.sleep(0.01)
    assert all(map(is_open, peers.theirs.values()))
    clock[0] += REQUEST_S + 1.0
    runtime.sleep(0.01)
    sweeper.kill()
    assert peers.theirs["a1"].recv(1000) == b""
    assert peers.theirs["b1"].recv(1000).startswith(b"HTTP/1.1 408 ")
    assert is_open(peers.theirs["c1"])
    assert silent.deadline is None


def test_a_defect_at_one_connection_keeps_no_other_from_its_time_limit(peers, clock, monkeypatch):
    monkeypatch.setattr(door, "_SWEEP_S", 0.0)
    front, notes = Door(peers, 10, 10, lambda host: host), []
    broken, _ = let_in(front, peers, "a1", "b1")
    broken.socket = None
    sweeper = runtime.spawn(front.run, Chores(notes))
    clock[0] += REQUEST_S + 1.0
    deadline = runtime.monotonic() + 5.0
    while is_open(peers.theirs["b1"]):
        assert runtime.monotonic() < deadline
        runtime.sleep(0.01)
    sweeper.kill()
    assert notes == ["the gateway's own time limit of requests failed; its log says why"]


def test_a_newcomer_waits_behind_no_requests(peers):
    door = Door(peers, 100, 100, lambda host: host)
    door.turnstile.spend(10.0)  # whoever asks for something now, waits
    peers.come("a")
    coming = runtime.spawn(door.accept)
    assert coming.join(5.0)
