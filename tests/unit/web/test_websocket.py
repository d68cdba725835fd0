"""The server's end of a WebSocket, on a real pair of sockets."""

import socket

import pytest

from gateway.runtime import monotonic, sleep, spawn
from gateway.web.frames import text_frame
from gateway.web.websocket import WebSocket


@pytest.fixture
def ends():
    from eventlet.greenio import GreenSocket  # after gateway.runtime, which answers eventlet's warning

    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    theirs.setblocking(False)
    websocket = WebSocket(GreenSocket(ours), {}, 13)
    yield websocket, theirs
    theirs.close()
    ours.close()


def read(theirs, size):
    data = b""
    deadline = monotonic() + 10.0
    while len(data) < size:
        assert monotonic() < deadline, f"{len(data)} of {size} bytes came"
        sleep(0)
        try:
            data += theirs.recv(65536)
        except BlockingIOError:
            continue
    return data


def test_frames_are_as_the_standard_has_them():
    assert text_frame("4ü") == b"\x81\x03" + "4ü".encode()
    assert text_frame("x" * 126)[:4] == b"\x81\x7e\x00\x7e"
    assert text_frame("x" * 70_000)[:10] == b"\x81\x7f" + (70_000).to_bytes(8, "big")


def test_the_rest_of_a_frame_comes_before_anything_else(ends):
    websocket, theirs = ends
    long = text_frame("a" * 50_000)
    assert websocket.write_now(long)  # goes out in part
    assert not websocket.write_now(text_frame("b"))
    assert read(theirs, len(long)) == long
    assert websocket.write_now(text_frame("c"))
    assert read(theirs, 3) == text_frame("c")


def test_no_frame_overtakes_one_whose_writer_waits_for_the_lock(ends):
    websocket, theirs = ends
    long = text_frame("a" * 50_000)
    assert websocket.write_now(long)
    spawn(websocket.send, "queued")
    sleep(0)
    expected = long + text_frame("queued")
    data = b""
    while len(data) < len(expected):
        sleep(0)
        if websocket.write_now(text_frame("late")):
            expected += text_frame("late")
        try:
            data += theirs.recv(4096)
        except BlockingIOError:
            continue
    data += read(theirs, len(expected) - len(data)) if len(data) < len(expected) else b""
    assert data.startswith(long + text_frame("queued"))


@pytest.mark.parametrize("size", [1, 3, 4, 5, 1000])
@pytest.mark.parametrize("offset", range(5))
def test_unmasking_is_what_the_standard_says(size, offset):
    data, mask = bytes(n * 7 % 256 for n in range(size)), (1, 2, 3, 250)
    expected = bytes(byte ^ mask[(offset + index) % 4] for index, byte in enumerate(data))
    assert WebSocket._apply_mask(data, mask, size, offset) == expected


def masked(text):
    """Return a short text frame as a client sends it."""
    return bytes((0x81, 0x80 | len(text))) + bytes(4) + text.encode()


def test_what_came_together_is_read_frame_by_frame(ends):
    websocket, theirs = ends
    sent = [f"{number}:" + "y" * (number % 120) for number in range(200)]
    stream = b"".join(map(masked, sent))
    spawn(lambda: [theirs.send(stream[at : at + 777]) and sleep(0) for at in range(0, len(stream), 777)])
    assert [websocket.wait() for _ in sent] == sent


def test_a_viewer_whose_word_was_read_with_another_has_spoken(ends):
    websocket, theirs = ends
    websocket.written = 1_000_000  # far more than an unknown viewer may have under way
    assert not websocket.has_credit(1)
    theirs.send(masked("first") + masked("second"))
    assert websocket.wait() == "first"
    assert websocket.has_credit(1)
    assert websocket.wait() == "second"
    assert not websocket.has_credit(1)
