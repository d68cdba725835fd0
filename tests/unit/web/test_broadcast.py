"""Who gets a room's frame at once, who through a queue, who not, and what a connection knows of its way."""

import queue
import socket

import pytest
from engineio.packet import MESSAGE, Packet

from gateway.live.credit import FIRST_BYTES
from gateway.runtime import monotonic, sleep, spawn, wait_readable
from gateway.web.broadcast import ask, broadcast, deliver
from gateway.web.frames import text_frame
from gateway.web.gathering import MOST_BYTES, Gathering
from gateway.web.outbox import Outbox
from gateway.web.websocket import WebSocket

PONG = b"\x81\x81\0\0\0\x003"


class Session:
    """An engineio session with a WebSocket that takes frames, or doesn't."""

    def __init__(self, *, takes=True, upgraded=True):
        self.queue = Outbox()
        self.upgraded, self.upgrading, self.closed = upgraded, False, False
        self.takes, self.waiting, self.written, self.pings, self.is_cut = takes, 0, [], 0, False
        self.websocket = self.socket = self
        self.options = set()
        self.credit = 10**6

    def has_credit(self, size):
        return sum(map(len, self.written)) + size <= self.credit

    def write_within(self, frame):
        return self.has_credit(len(frame)) and self.write_now(frame)

    def write_now(self, frame):
        if self.takes:
            self.written.append(frame)
        return self.takes

    def setsockopt(self, *option):
        self.options.add(option)

    def ping_now(self):
        self.pings += self.takes
        return self.takes

    def send(self, packet):
        self.queue.put(packet)

    def close(self, *, wait, abort):
        self.closed = True

    def cut(self):
        self.is_cut = True


def test_one_that_takes_nothing_is_named_once_enough_waits_for_it():
    quick, full, polling = Session(), Session(takes=False), Session(upgraded=False)
    clients = [("quick", quick), ("full", full), ("polling", polling)]
    assert broadcast(clients, "x" * 3000, 4096) == []
    assert broadcast(clients, "x" * 3000, 4096) == []
    assert broadcast(clients, "x" * 3000, 4096) == ["full", "polling"]
    assert len(quick.written) == 3
    assert full.queue.unsent == polling.queue.unsent == 6000


def test_what_is_written_to_a_socket_counts_as_waiting():
    session = Session(takes=False)
    session.waiting = 5000
    assert broadcast([("v", session)], "x", 4096) == ["v"]


def test_nothing_overtakes_what_waits():
    session = Session()
    session.queue.put(Packet(MESSAGE, data="earlier"))
    deliver(session, ["later", "last"])
    assert [session.queue.get().data for _ in range(3)] == ["earlier", "later", "last"]


def test_packets_for_one_go_in_one_write():
    session = Session()
    deliver(session, ["a", "b"])
    assert session.written == [text_frame("4a") + text_frame("4b")]


@pytest.mark.parametrize("upgraded", [True, False])
def test_one_for_whom_far_too_much_waits_is_dropped_and_its_memory_freed(upgraded):
    session = Session(takes=False, upgraded=upgraded)
    for _ in range(100):
        if not session.closed:
            broadcast([("v", session)], "x" * 10_000)
    assert session.closed
    assert session.is_cut == upgraded
    assert session.queue.unsent == 0


def test_only_one_for_whom_nothing_waits_is_asked():
    session = Session()
    assert ask(session)
    session.queue.put(Packet(MESSAGE, data="earlier"))
    assert not ask(session)
    assert not ask(Session(takes=False))
    assert not ask(Session(upgraded=False))
    assert session.pings == 1


def test_a_writer_is_given_one_packet_at_a_time_so_that_the_rest_can_be_counted():
    outbox = Outbox()
    for text in ("12", "345"):
        outbox.put(Packet(MESSAGE, data=text))
    outbox.one_by_one = True
    outbox.get(timeout=1.0)
    with pytest.raises(queue.Empty):
        outbox.get(block=False)
    assert (outbox.unsent, outbox.passed) == (3, 2)
    outbox.clear()
    assert (outbox.unsent, outbox.empty()) == (0, True)


@pytest.fixture
def pair():
    """A connection: the server's WebSocket, and the client's plain socket."""
    from eventlet.greenio import GreenSocket  # not before the runtime, which knows that it is deprecated

    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    websocket = WebSocket(GreenSocket(server), {}, 13)
    client.setblocking(False)
    with client:
        yield websocket, client
    websocket.close()


def until(condition):
    deadline = monotonic() + 10.0
    while not condition():
        assert monotonic() < deadline
        sleep(0.001)


def read_all(client):
    data = b""
    try:
        while part := client.recv(1 << 20):
            data += part
    except BlockingIOError:
        pass
    return data


def test_a_connection_knows_where_its_bytes_are(pair):
    websocket, client = pair
    frame = text_frame("4" + "x" * 20_000)
    frames = 0
    while websocket.write_now(frame):
        frames += 1
        if websocket.waiting:
            break
    assert 0 < websocket.waiting < len(frame)
    assert websocket.written + websocket.waiting == frames * len(frame)
    assert websocket.acknowledged() <= websocket.written
    assert not websocket.write_now(frame)
    spawn(websocket.send, "4later")
    sleep(0)
    assert websocket.waiting > len("4later")
    total = frames * len(frame) + len(text_frame("4later"))
    got = b""

    def is_through():
        nonlocal got
        got += read_all(client)
        return len(got) == total

    until(is_through)
    until(lambda: websocket.acknowledged() == websocket.written == total)
    assert got == frame * frames + text_frame("4later")
    assert websocket.waiting == 0


def test_an_answer_tells_how_far_the_client_has_come(pair):
    websocket, client = pair
    websocket.write_now(text_frame("4first"))
    first = websocket.written
    assert websocket.ping_now()
    websocket.write_now(text_frame("4second"))
    second = websocket.written
    websocket.send("2")  # Engine.IO's own
    assert websocket.credit.is_asked
    client.sendall(PONG)
    assert websocket.wait() == "3"
    assert websocket.credit.answered == first
    client.sendall(PONG + PONG)
    websocket.wait()
    assert websocket.credit.answered == second
    assert not websocket.credit.is_asked
    websocket.wait()  # unasked for
    assert websocket.credit.answered == second


def test_a_client_is_asked_soon_and_is_sent_little_until_it_answers(pair):
    websocket, client = pair
    assert websocket.has_credit(1000)
    assert websocket.credit.is_asked
    websocket.write_now(text_frame("4" * FIRST_BYTES))
    assert not websocket.has_credit(1000)
    client.sendall(PONG)
    wait_readable(websocket.socket.fileno(), timeout_s=5.0)
    assert websocket.has_credit(1000), "its answer is here, and waits for us"
    websocket.wait()
    assert not websocket.has_credit(1000), "it was asked before it was sent all that"
    assert websocket.credit.is_asked
    client.sendall(PONG)
    websocket.wait()
    assert websocket.has_credit(1000)


def readable(client):
    wait_readable(client.fileno(), timeout_s=5.0)
    return client


def test_who_answers_for_more_and_more_is_not_asked_any_more(pair):
    websocket, client = pair
    answers = 0
    for _ in range(100):
        assert websocket.write_within(text_frame("4" * 1000))
        readable(client).recv(65536)
        if websocket.credit.is_asked:
            client.sendall(PONG)
            websocket.wait()
            answers += 1
    assert 3 < answers < 10
    assert websocket.has_credit(10**6)


def test_a_closed_connection_has_nothing_to_say(pair):
    websocket, _ = pair
    websocket.write_now(text_frame("4" * FIRST_BYTES))
    websocket.close()
    assert not websocket.has_credit(1000)


def test_one_whose_credit_is_used_up_is_named_and_sent_nothing():
    session, other = Session(), Session()
    session.credit = 2500
    clients = [("v", session), ("other", other)]
    refused = [broadcast(clients, "x" * 1000, 4096) for _ in range(3)]
    assert refused == [[], [], ["v"]]
    assert (len(session.written), len(other.written)) == (2, 3)
    assert session.queue.unsent == 0
    assert broadcast([("v", session)], "x" * 1000) == [], "what is for all goes to it, too"
    assert session.queue.unsent == 1000


def test_what_is_gathered_takes_credit():
    session, gathering = Session(), Gathering(deliver)
    session.credit = 2500
    assert [broadcast([("v", session)], "x" * 1000, 4096, gathering) for _ in range(3)] == [[], [], ["v"]]
    assert session.written == [text_frame("4" + "x" * 1000) * 2], "what was gathered before goes before"


def test_a_closed_connection_holds_nothing_back(pair):
    websocket, _ = pair
    websocket.write_now(text_frame("4x"))
    websocket.close()
    assert websocket.acknowledged() == websocket.written


def test_what_goes_to_one_from_many_rooms_is_written_in_few_pieces_and_in_order():
    session, gathering = Session(), Gathering(deliver)
    texts = [f"{number:1000}" for number in range(20)]
    for text in texts:
        assert broadcast([("v", session)], text, 4096, gathering) == []
    assert len(session.written) == 20_000 // (MOST_BYTES + 1000)
    gathering.send()
    assert b"".join(session.written) == b"".join(text_frame(Packet(MESSAGE, data=text).encode()) for text in texts)
    assert len(session.written) == 20_000 // (MOST_BYTES + 1000) + 1
    assert session not in gathering
    assert session.options == {(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)}


def test_nothing_overtakes_what_is_gathered_and_nothing_is_gathered_past_what_waits():
    session, gathering = Session(), Gathering(deliver)
    broadcast([("v", session)], "first", 4096, gathering)
    session.queue.put(Packet(MESSAGE, data="an acknowledgement"))
    broadcast([("v", session)], "second", 4096, gathering)
    gathering.send()
    assert [session.queue.get(block=False).data for _ in range(3)] == ["an acknowledgement", "first", "second"]
    full = Session(takes=False)
    full.waiting = 5000
    assert broadcast([("f", full)], "x", 4096, gathering) == ["f"]


def test_in_large_rooms_nothing_is_gathered():
    sessions, gathering = [Session() for _ in range(20)], Gathering(deliver)
    broadcast([(str(number), session) for number, session in enumerate(sessions)], "x", 4096, gathering)
    assert all(session.written for session in sessions)
