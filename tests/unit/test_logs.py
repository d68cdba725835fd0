import logging
import os

from gateway.logs import BackgroundHandler, Throttled


def test_a_stalled_pipe_blocks_nobody_and_drops_are_counted():
    reader, writer = os.pipe()
    handler = BackgroundHandler(writer)
    for number in range(30_000):  # far more than pipe and queue hold; nobody reads
        handler.emit(logging.makeLogRecord({"msg": f"line {number} {'x' * 100}"}))
    assert handler.dropped > 0
    text = b""
    while b"line 9999 " not in text:
        text += os.read(reader, 1 << 16)
    assert text.startswith(b"line 0 x")
    os.close(reader)
    handler.close()
    os.close(writer)


def test_close_writes_what_waits():
    reader, writer = os.pipe()
    handler = BackgroundHandler(writer)
    handler.emit(logging.makeLogRecord({"msg": "last words \udcff"}))
    handler.close()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"last words \\udcff\n"


def test_throttled_says_one_line_and_counts_the_rest(caplog):
    throttled = Throttled("x", "rejected", every_s=60.0)
    for _ in range(5):
        throttled.warn("broker", "no good")
    throttled.warn("bench", "other source")
    assert [record.getMessage() for record in caplog.records] == [
        "source broker: message rejected: no good",
        "source bench: message rejected: other source",
    ]


def test_throttled_names_how_many_it_held_back(caplog):
    throttled = Throttled("x", "rejected", every_s=0.0)
    throttled._said["broker"] = (0.0, 3)
    throttled.warn("broker", "no good")
    assert caplog.records[0].getMessage().endswith("no good (and 3 before)")
