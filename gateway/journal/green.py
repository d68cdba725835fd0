"""The journal's queries for green threads."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import TypeVar

from gateway.errors import JournalDown
from gateway.journal.absences import completed
from gateway.journal.condensing import Condensed, condensed
from gateway.journal.queries import Queries
from gateway.journal.records import Absence, JournalStats, KeptReject, Stored
from gateway.runtime import Worker

T = TypeVar("T")

_ANSWER_S = 5.0
"""A disk that takes longer for one query is stuck, for whoever asks and waits: a card in a read that doesn't end."""
_CATCH_UP_S = 60.0
"""The same for a viewer that catches up: to wait is better than to miss what is there."""


class GreenQueries:
    """``Queries``, run in a native thread while the calling green thread waits.

    Where the disk doesn't answer, each raises ``JournalDown``, and the next asks again once it does.

    Parameters
    ----------
    told
        Gives the absences that may not be in the file yet.
    """

    def __init__(self, queries: Queries, told: Callable[[], Sequence[Absence]] = tuple) -> None:
        self._queries = queries
        self._told = told
        self._worker = Worker("journal-reader")
        self._stats = JournalStats(0, 0, None)

    def after(self, device: str, after: int, upto: int | None, limit: int) -> list[Stored]:
        """Return readings in order of ``seq``."""
        return self._within(_CATCH_UP_S, partial(self._queries.after, device, after, upto, limit))

    def condensed(self, device: str, after: int, upto: int, budget: int) -> Condensed:
        """Return of the readings with ``after < seq <= upto`` what fits into about ``budget`` bytes."""
        back = partial(self._queries.page, device, start_ts=None, end_ts=None, descending=True)
        missing = partial(self._queries.missing, device)
        return self._within(_CATCH_UP_S, partial(condensed, back, after, upto, budget, missing))

    def page(  # noqa: PLR0913  one parameter a filter of the API
        self,
        device: str,
        *,
        after: int | None,
        start_ts: float | None,
        end_ts: float | None,
        limit: int,
        descending: bool,
        most_bytes: int,
    ) -> list[Stored]:
        """Return at most ``limit`` readings, of about ``most_bytes``."""
        call = partial(
            self._queries.page,
            device,
            after=after,
            start_ts=start_ts,
            end_ts=end_ts,
            limit=limit,
            descending=descending,
            most_bytes=most_bytes,
        )
        return self._ask(call)

    def chart(
        self, device: str, *, metric: str, start_ts: float | None, end_ts: float | None, most: int
    ) -> list[Stored]:
        """Return the readings of a metric as about ``most``, with the extremes."""
        call = partial(self._queries.chart, device, metric=metric, start_ts=start_ts, end_ts=end_ts, most=most)
        return self._ask(call)

    def stats(self) -> JournalStats:
        """Return the journal's size: where it can't be read now, as it was, and why."""
        try:
            self._stats = self._ask(self._queries.stats)
        except JournalDown as error:
            return replace(self._stats, problem=str(error))
        return self._stats

    def newest_rejects(self, limit: int) -> tuple[list[KeptReject], int]:
        """Return the rejects that came last, newest first, and how many there are."""
        return self._ask(partial(self._queries.newest_rejects, limit))

    def rejects(self, ids: Sequence[int]) -> list[KeptReject]:
        """Return these rejects, as far as they are there."""
        return self._ask(partial(self._queries.rejects, ids))

    def reject_ids(self) -> list[int]:
        """Return which rejects there are, oldest first."""
        return self._ask(self._queries.reject_ids)

    def absences(self, source: str, start_ts: float | None, end_ts: float | None, limit: int) -> list[Absence]:
        """Return when this source or the gateway was away: the newest, oldest first."""
        told = [one for one in self._told() if one.source in {"", source}]  # first: what is written then is in the file
        found = completed(self._ask(partial(self._queries.absences, source, start_ts, end_ts, limit)), told)
        start, end = -inf if start_ts is None else start_ts, inf if end_ts is None else end_ts
        return [one for one in found if one.since <= end and (one.until is None or one.until >= start)][-limit:]

    def _ask(self, query: Callable[[], T]) -> T:
        return self._within(_ANSWER_S, query)

    def _within(self, timeout_s: float, query: Callable[[], T]) -> T:
        try:
            return self._worker.call_within(timeout_s, query)
        except TimeoutError as error:
            raise JournalDown(f"journal {self._queries.path}: the disk doesn't answer") from error
