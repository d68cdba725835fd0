import tracemalloc

import pytest

from gateway.framing import Frame, LineFraming

LONG = "line longer than 8 bytes"


def frames(data, cut=None, **limits):
    framing = LineFraming(**limits)
    pieces = [data] if cut is None else [data[i : i + cut] for i in range(0, len(data), cut)]
    return [frame for piece in pieces for frame in framing.feed(piece)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", []),
        (b"a\n", [Frame(b"a")]),
        (b"a\r\nb\n", [Frame(b"a"), Frame(b"b")]),
        (b"\n\r\n\n", []),
        (b"a\rb\n", [Frame(b"a\rb")]),
        (b"a\r\r\n", [Frame(b"a\r")]),
        (b" \n", [Frame(b" ")]),
        (b"\xff\0\n", [Frame(b"\xff\0")]),
        (b"12345678\n", [Frame(b"12345678")]),
        (b"12345678\r\n", [Frame(b"12345678")]),
        (b"123456789\na\n", [Frame(b"12345678", LONG, 9), Frame(b"a")]),
        (b"123456789\r\na\n", [Frame(b"12345678", LONG, 9), Frame(b"a")]),
        (b"12345678\r\r\na\n", [Frame(b"12345678", LONG, 9), Frame(b"a")]),
        (b"12345678\rx\na\n", [Frame(b"12345678", LONG, 10), Frame(b"a")]),
        (b"1234567\rx\na\n", [Frame(b"1234567\r", LONG, 9), Frame(b"a")]),
        (b"x" * 100 + b"\n" + b"y" * 100 + b"\n", [Frame(b"x" * 8, LONG, 100), Frame(b"y" * 8, LONG, 100)]),
        (
            b"x" * 200 + b"\n" + b"y" * 128 + b"\na\n",
            [Frame(b"x" * 8, LONG, 128), Frame(b"y" * 8, LONG, 128), Frame(b"a")],
        ),
    ],
)
@pytest.mark.parametrize("cut", [None, 1, 2, 3, 7])
def test_lines(data, expected, cut):
    assert frames(data, cut, max_line_bytes=8) == expected


def test_a_line_that_does_not_end_is_told_nevertheless_and_once():
    assert frames(b"123456789", max_line_bytes=8) == []
    assert frames(b"1" * 1000, 10, max_line_bytes=8) == [Frame(b"1" * 8, LONG, 128)]


def test_the_default_limit():
    (frame,) = frames(b"x" * 5000 + b"\n")
    assert frame.flaw == "line longer than 4096 bytes"
    assert (frame.payload, frame.size) == (b"x" * 4096, 5000)


def test_bytes_are_taken_even_when_nobody_looks_at_the_frames():
    framing = LineFraming()
    framing.feed(b"a\nb")
    assert list(framing.feed(b"c\n")) == [Frame(b"bc")]


def test_a_stream_without_an_end_takes_no_memory():
    framing = LineFraming()
    piece = b"\xf0" * 65536
    assert len(list(framing.feed(piece + piece))) == 1
    tracemalloc.start()
    try:
        for _ in range(200):
            assert not list(framing.feed(piece))
        assert tracemalloc.get_traced_memory()[0] < 16384
    finally:
        tracemalloc.stop()
