import logging
import os
import select

import pytest

from gateway.logs import BackgroundHandler
from gateway.logs.outputs import Lines
from tests.support.ports import wait_until


@pytest.fixture
def pipe():
    return os.pipe()


@pytest.fixture
def handler(pipe):
    handler = BackgroundHandler(Lines(pipe[1], logging.Formatter()))
    yield handler
    os.close(pipe[0])  # what still waits falls out
    handler.close()
    os.close(pipe[1])


def say(handler, text, **fields):
    handler.emit(logging.makeLogRecord({"msg": text, **fields}))


def read_until(fd, word):
    text = bytearray()

    def read():
        text.extend(os.read(fd, 1 << 16) if select.select([fd], [], [], 0.0)[0] else b"")
        return word in text

    wait_until(read, f"{word!r} is written")
    return bytes(text)


def test_a_stalled_pipe_blocks_nobody_and_what_was_dropped_is_told(pipe, handler):
    for number in range(30_000):  # far more than pipe and queue hold; nobody reads
        say(handler, f"line {number} {'x' * 100}")
    dropped = handler.dropped
    assert dropped > 0
    text = read_until(pipe[0], b"missing\n")
    assert text.startswith(b"line 0 x")
    assert b"\n%d log lines found no room and are missing\n" % dropped in text


def test_close_writes_what_waits(pipe, handler):
    say(handler, "last words \udcff")
    handler.close()
    assert os.read(pipe[0], 100) == b"last words \\udcff\n"


def test_a_call_that_can_not_be_formatted_harms_nobody(pipe, handler, capsys):
    say(handler, "%d", args=("no number",))
    say(handler, "next", source=7)
    handler.close()
    assert os.read(pipe[0], 100) == b"next\n"
    assert "TypeError" in capsys.readouterr().err


def test_what_comes_too_often_from_one_place_is_summed_up(pipe, handler):
    for number in range(500):
        say(handler, "source %s is %s", args=("a", f"down {number}"), source="a")
    say(handler, "source %s is %s", args=("b", "up"), source="b")
    handler.close()
    lines = os.read(pipe[0], 1 << 16).decode().splitlines()
    assert lines[:10] == [f"source a is down {number}" for number in range(10)]
    assert lines[10] == "source b is up"
    assert lines[11:] == ["source a is down 499 (the last of 490 such lines in 0 s)"]


def test_a_summary_comes_without_another_line(pipe, handler, monkeypatch):
    monkeypatch.setattr("gateway.logs.floods._WINDOWS_S", (0.2, 0.2))
    for _ in range(12):
        say(handler, "again")
    assert read_until(pipe[0], b"such lines").count(b"\n") >= 10
    wait_until(lambda: not handler._floods._floods, "it is forgotten once it is quiet")
