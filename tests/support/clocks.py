"""A daemon whose clock a test sets.

    python clocks.py FILE [gatewayd's own arguments]

runs gatewayd by a clock that is wrong by as many seconds as FILE says, at any moment: for the whole
process, its libraries too. What measures intervals is right, as it is when a machine's clock is set.
"""

import sys
import time
from pathlib import Path


class Clock:
    """The daemon's clock; ``command`` starts a daemon by it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.command = [sys.executable, str(Path(__file__)), str(file)]
        self.set_off_by(0.0)

    def set(self, now: float) -> None:
        """Make it ``now``, in Unix seconds."""
        self.set_off_by(now - time.time())

    def set_off_by(self, seconds: float) -> None:
        """Make it wrong by so much; the file is never seen half written."""
        draft = self._file.with_suffix(".new")
        draft.write_text(repr(seconds))
        draft.rename(self._file)


def _run(offset: Path) -> None:
    from gateway.__main__ import main  # makes the standard library green first

    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + float(offset.read_text())
    time.time_ns = lambda: right_ns() + int(float(offset.read_text()) * 1e9)
    main()


if __name__ == "__main__":
    _run(Path(sys.argv.pop(1)))
