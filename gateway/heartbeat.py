"""How long ago a stage of the gateway last made progress."""

from collections.abc import Callable, Mapping

from gateway.runtime import monotonic


class Heartbeat:
    """Beaten by a stage, in whatever thread it runs, whenever it comes round."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def beat(self) -> None:
        """Note that the stage goes on."""
        self._last = self._clock()

    def age_s(self) -> float:
        """Return how long ago it last did."""
        return self._clock() - self._last


class Lingering:
    """For how long the same things have been in hand, seen from outside: costs those who handle them nothing.

    Parameters
    ----------
    in_hand
        Tells what is being handled now, by who handles it.
    """

    def __init__(self, in_hand: Callable[[], Mapping[str, object]], clock: Callable[[], float] = monotonic) -> None:
        self._in_hand = in_hand
        self._clock = clock
        self._seen: dict[str, tuple[object, float]] = {}

    def age_s(self) -> float:
        """Return since when at most the oldest of them is known to be there; call again and again."""
        at, seen = self._clock(), self._seen
        self._seen = {
            name: seen[name] if name in seen and seen[name][0] is thing else (thing, at)
            for name, thing in self._in_hand().items()
        }
        return max((at - since for _, since in self._seen.values()), default=0.0)
