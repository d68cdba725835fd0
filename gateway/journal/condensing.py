"""Many readings as few: the extremes of every metric, and the newest; in a native thread.

A chart of what is left shows every peak of what is left out, as one draws long ranges anyway.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Protocol

import orjson

from gateway.journal.records import Stored
from gateway.model import Value

MOST_LOOKED_AT = 20_000
MOST_BYTES_LOOKED_AT = 2 * 1024 * 1024
"""Further back than either nothing is looked for: parsing runs beside the hub, and takes its interpreter."""
MOST_BYTES_KEPT = 64 * 1024
"""Whatever the budget is: a device with hundreds of metrics keeps the extremes of as many as fit."""
_APART_BYTES = 150
"""What a reading costs more when it stands alone between two gaps: its packet, and a gap."""


class Missing(Protocol):
    """What this needs of ``Queries.missing``, of one device."""

    def __call__(self, low: int, high: int) -> Sequence[tuple[int, int]]:
        """Return from and to which ``seq`` there are no readings, in order, within ``low`` to ``high``."""


class Back(Protocol):
    """What this needs of ``Queries.page``: one device's readings before a ``seq``, the newest first."""

    def __call__(self, *, after: int, limit: int, most_bytes: int) -> Sequence[Stored]:
        """Return at most ``limit``, ended by the first with which there are more than ``most_bytes``."""


@dataclass(frozen=True, slots=True)
class Condensed:
    """What is kept of a range of readings, in order of ``seq``."""

    kept: Sequence[Stored]
    found: int = 0
    """Of how many."""
    oldest: int = 0
    """The first ``seq`` of these."""
    cut: bool = False
    """There were more before these, which nobody looked at."""
    holes: Sequence[tuple[int, int]] = ()
    """From and to which ``seq`` there are none, in order: damage took them, or numbers leapt there."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out."""
        return len(self.kept) == self.found and not self.cut


def _nothing(low: int, high: int) -> Sequence[tuple[int, int]]:  # noqa: ARG001  a ``Missing``
    return ()


def condensed(back: Back, after: int, upto: int, budget: int, missing: Missing = _nothing) -> Condensed:
    """Return of the readings with ``after < seq <= upto`` what fits into about ``budget`` bytes."""
    limit = min(upto - after, MOST_LOOKED_AT)
    newest_first = back(after=upto + 1, limit=limit, most_bytes=MOST_BYTES_LOOKED_AT)
    found = [stored for stored in reversed(newest_first) if stored.seq > after]
    if not found:
        return Condensed(())
    cut = found[0].seq > after + 1 and (len(found) == limit or _bytes(found) > MOST_BYTES_LOOKED_AT)
    holes = [*(missing(after + 1, found[0].seq - 1) if cut else ()), *_holes(found)]
    return Condensed(condense(found, budget), len(found), found[0].seq, cut, holes)


def _holes(found: Sequence[Stored]) -> Sequence[tuple[int, int]]:
    if found[-1].seq - found[0].seq == len(found) - 1:
        return ()
    return [(one.seq + 1, after.seq - 1) for one, after in pairwise(found) if after.seq > one.seq + 1]


def condense(found: Sequence[Stored], budget: int) -> Sequence[Stored]:
    """Return all of ``found`` if they fit, else the newest and the extremes of as many equal stretches as fit."""
    size = _bytes(found)
    if size <= budget:
        return found
    each = size // len(found) + _APART_BYTES
    a_stretch = 2 * max(1, sum(1 for _ in _numbers(found[-1])))
    stretches = max(1, budget // each // a_stretch)
    length = -(-len(found) // stretches)
    kept = {len(found) - 1: None}  # a dict keeps the order in which they matter
    for start in range(0, len(found), length):
        kept |= dict.fromkeys(_extremes(islice(enumerate(found), start, start + length)))
    most = max(budget, MOST_BYTES_KEPT) // each + 1
    return [found[index] for index in sorted(islice(kept, most))]


def _extremes(stretch: Iterable[tuple[int, Stored]]) -> Iterable[int]:
    """Return where each metric is least and greatest."""
    least: dict[str, tuple[float, int]] = {}
    greatest: dict[str, tuple[float, int]] = {}
    for index, stored in stretch:
        for name, value in _numbers(stored):
            if name not in least:
                least[name] = greatest[name] = (value, index)
            elif value < least[name][0]:
                least[name] = (value, index)
            elif value > greatest[name][0]:
                greatest[name] = (value, index)
    for name, (_, index) in least.items():
        yield index
        yield greatest[name][1]


def _numbers(stored: Stored) -> Iterable[tuple[str, float]]:
    """Return the metrics that can be compared; a door that was open for one reading is an extreme, too."""
    values: dict[str, Value] = orjson.loads(stored.body)["values"]
    return ((name, value) for name, value in values.items() if not isinstance(value, str))


def _bytes(found: Iterable[Stored]) -> int:
    return sum(len(stored.body) for stored in found)
