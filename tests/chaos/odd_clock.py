"""gatewayd by a clock that is wrong by as many seconds as a file says, at any moment.

    python odd_clock.py FILE [gatewayd's own arguments]

Only the daemon's one source of time is replaced: what others read, and what measures intervals, is right.
"""

import sys
import time
from pathlib import Path
from typing import Any

from gateway.__main__ import main  # makes the standard library green, so it comes before all else
from gateway.runtime import clock


class OddClock:
    """Stands in for the module ``time`` where the daemon asks for the time."""

    def __init__(self, offset: Path) -> None:
        self._offset = offset

    def time(self) -> float:
        """Return Unix seconds, and the error."""
        return time.time() + float(self._offset.read_text())

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)  # what no setting of the clock changes


if __name__ == "__main__":
    clock.time = OddClock(Path(sys.argv.pop(1)))  # type: ignore[attr-defined]
    main()
