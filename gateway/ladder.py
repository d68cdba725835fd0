"""What is tried, and when, with a source that says nothing or doesn't come up: a little first, then more."""

from enum import Enum


class Rung(Enum):
    """One thing to try; its value says in words that it was done."""

    REFRESH = "asked again for messages"
    RUN_AGAIN = "connecting again"


_RUN_AGAIN_AT = 1.5
_LONGEST_S = 3600.0


class Ladder:
    """The rungs of one silence.

    After the stall time the adapter is asked to refresh, after half of it more it is run again. Then that is
    repeated each time the silence has doubled, at least once an hour: what is broken now may be mended then.
    """

    def __init__(self) -> None:
        self._due_s = 0.0
        self._last: Rung | None = None

    @property
    def climbed(self) -> bool:
        """Whether anything was tried."""
        return self._last is not None

    def climb(self, silent_s: float, stall_s: float) -> Rung | None:
        """Return what is to be tried now, after a silence of ``silent_s``; None: nothing, or not yet."""
        if silent_s <= (self._due_s or stall_s):
            return None
        if self._last is not None:
            return self.skip(silent_s)
        self._last, self._due_s = Rung.REFRESH, _RUN_AGAIN_AT * stall_s
        return self._last

    def skip(self, silent_s: float) -> Rung:
        """Return what is to be tried instead, where there is nothing to refresh."""
        self._last, self._due_s = Rung.RUN_AGAIN, silent_s + min(silent_s, _LONGEST_S)
        return self._last
