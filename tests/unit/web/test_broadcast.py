"""Who gets a room's frame at once, who through a queue, who not, and what a connection knows of its way."""

import queue
import socket

import pytest
from engineio.packet import MESSAGE, Packet

from gateway.runtime import monotonic, sleep, spawn
from gateway.web.broadcast import ask, broadcast, deliver
from gateway.web.gathering import MOST_BYTES, Gathering
from gateway.web.outbox import Outbox
from gateway.web.websocket import WebSocket, text_frame


class Session:
    """An engineio session with a WebSocket that takes frames, or doesn't."""

    def __init__(self, *, takes=True, upgraded=True):
        self.queue = Outbox()
        self.upgraded, self.upgrading, self.closed = upgraded, False, False
        self.takes, self.waiting, self.written, self.pings, self.is_cut = takes, 0, [], 0, False
        self.websocket = self.socket = self
        self.options = set()

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
    assert websocket.is_asked
    pong = b"\x81\x81\0\0\0\x003"
    client.sendall(pong)
    assert websocket.wait() == "3"
    assert websocket.answered == first
    client.sendall(pong + pong)
    websocket.wait()
    assert websocket.answered == second
    assert not websocket.is_asked
    websocket.wait()  # unasked for
    assert websocket.answered == second


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
