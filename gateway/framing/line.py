"""A message a line: ends with a line feed; a carriage return before it doesn't belong to the message."""

from collections.abc import Iterator

from gateway.framing.frame import Frame

_END = b"\n"


class LineFraming:
    """Messages are lines; empty ones are none.

    Parameters
    ----------
    max_line_bytes
        A longer line is one flawed frame with its first bytes; its rest is skipped up to the next
        line feed. At most this much, and a byte, is ever kept.
    """

    def __init__(self, max_line_bytes: int = 4096) -> None:
        self._max = max_line_bytes
        self._line = bytearray()  # never has a line feed in it, so no byte is searched twice
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next bytes of the stream; return the lines that they complete, in order."""
        return iter(self._frames(data))  # not lazily: bytes would be lost with an iterator that isn't used up

    def _frames(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        start = 0
        while (end := data.find(_END, start)) >= 0:
            self._take(data, start, end, frames)
            self._finish(frames)
            start = end + 1
        self._take(data, start, len(data), frames)
        return frames

    def _take(self, data: bytes, start: int, end: int, frames: list[Frame]) -> None:
        if self._skipping:
            return
        line = self._line
        # One byte more may be the carriage return of a line that just fits, two can't.
        line += data[start : min(end, start + self._max + 2 - len(line))]
        if len(line) > self._max + line.endswith(b"\r"):
            frames.append(Frame(bytes(line[: self._max]), f"line longer than {self._max} bytes"))
            line.clear()
            self._skipping = True

    def _finish(self, frames: list[Frame]) -> None:
        line = self._line
        if line.endswith(b"\r"):
            line.pop()
        if line:
            frames.append(Frame(bytes(line)))
            line.clear()
        self._skipping = False
