"""A message a line: ends with a line feed; a carriage return before it doesn't belong to the message."""

from collections.abc import Iterator

from gateway.framing.frame import Frame

_END, _RETURN = b"\n", b"\r"
_MOST_COUNTED = 16
"""Times the limit: a line that has not ended after that is told of, and nobody waits for its end."""


class LineFraming:
    """Messages are lines; empty ones are none.

    Parameters
    ----------
    max_line_bytes
        A longer line is one flawed frame with its first bytes, and the size that it had at its end or
        after 16 times as much; its rest is skipped up to the next line feed. No more than this is ever kept.
    """

    def __init__(self, max_line_bytes: int = 4096) -> None:
        self._max = max_line_bytes
        self._line = bytearray()  # never has a line feed in it, so no byte is searched twice
        self._size = 0
        self._returned = False
        self._told = False

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
        if start == end or self._told:
            return
        self._line += data[start : min(end, start + self._max - len(self._line))]
        self._size += end - start
        self._returned = data.endswith(_RETURN, start, end)
        if self._size > self._max * _MOST_COUNTED:
            frames.append(self._too_long(self._max * _MOST_COUNTED))
            self._told = True

    def _finish(self, frames: list[Frame]) -> None:
        size = self._size - self._returned
        if size > self._max and not self._told:
            frames.append(self._too_long(size))
        elif size and not self._told:
            frames.append(Frame(bytes(self._line[:size])))
        self._line.clear()
        self._size, self._returned, self._told = 0, False, False

    def _too_long(self, size: int) -> Frame:
        return Frame(bytes(self._line), f"line longer than {self._max} bytes", size)
