"""What is said too often: the first of a kind pass, then they are counted, and summed up while it lasts."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from gateway.runtime import monotonic

T = TypeVar("T")

_WINDOWS_S = (60.0, 600.0)
"""Until the first summary, and between all that follow. After one in which nothing came, it is over."""
_MINUTES_FROM_S = 90.0
_MOST_KINDS = 1000
"""Past it the oldest is forgotten."""


class Summary(NamedTuple, Generic[T]):
    """What was held back of one kind."""

    last: T
    held: int
    seconds: float

    @property
    def span(self) -> str:
        """In how much time, for people."""
        return f"{self.seconds:.0f} s" if self.seconds < _MINUTES_FROM_S else f"{self.seconds / 60:.0f} min"


@dataclass(slots=True)
class _Flood(Generic[T]):
    """Of one kind: how many ``passed`` since it began, and what was ``held`` back in this window."""

    began: float
    passed: int = 0
    held: int = 0
    last: T | None = None
    windows: int = 0
    quiet: bool = True

    @property
    def ends(self) -> float:
        return self.began + _WINDOWS_S[min(self.windows, len(_WINDOWS_S) - 1)]

    def summary(self, at: float) -> Summary[T] | None:
        """Begin the next window; return what was held back in this one."""
        found = Summary(self.last, self.held, at - self.began) if self.last is not None else None
        self.windows += self.held > 0
        self.began, self.held, self.last, self.quiet = at, 0, None, True
        return found


class Floods(Generic[T]):
    """Bounds how often each kind of thing is said.

    Parameters
    ----------
    burst
        How many of a kind are said as they come.
    """

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._floods: dict[Hashable, _Flood[T]] = {}

    def passes(self, kind: Hashable, what: T) -> bool:
        """Tell whether ``what`` may be said now; if not, it is counted."""
        flood = self._floods.get(kind) or self._begin(kind)
        flood.quiet = False
        if flood.passed < self._burst:
            flood.passed += 1
            return True
        flood.held += 1
        flood.last = what
        return False

    def _begin(self, kind: Hashable) -> _Flood[T]:
        if len(self._floods) >= _MOST_KINDS:
            del self._floods[next(iter(self._floods))]
        flood = self._floods[kind] = _Flood(monotonic())
        return flood

    @property
    def due_s(self) -> float | None:
        """Seconds until ``due`` has something to do; None: for ever."""
        ends = min((flood.ends for flood in self._floods.values()), default=None)
        return None if ends is None else max(0.0, ends - monotonic())

    def due(self, *, all_now: bool = False) -> list[tuple[Hashable, Summary[T]]]:
        """Return by kind what was held back and is to be summed up now; forget what is over."""
        at, found = monotonic(), []
        for kind, flood in list(self._floods.items()):
            if not all_now and at < flood.ends:
                continue
            if flood.quiet:
                del self._floods[kind]
            elif summary := flood.summary(at):
                found.append((kind, summary))
        return found
