"""What is looked at now and then, so that no scrape has to wait for it."""

import itertools

from gateway.chores import Chores
from gateway.journal import GreenQueries, JournalStats
from gateway.ledger import Ledger
from gateway.meters import Meters
from gateway.runtime import Event, monotonic

_EVERY_S = 0.25
_ROUNDS_A_SIZE = 60
"""A journal of ten thousand devices takes a moment to count."""


class Soundings:
    """How late the hub is, how large the journal, and whether messages come to their end."""

    def __init__(self, queries: GreenQueries, ledger: Ledger, meters: Meters) -> None:
        self.journal: JournalStats | None = None
        """What was seen last; None: nothing yet."""
        self._queries = queries
        self._ledger = ledger
        self._meters = meters
        self._ended = -1
        self._moved_at = monotonic()

    def run(self, stop: Event, chores: Chores) -> None:
        """Look until ``stop``; a green thread's body."""
        for count in itertools.count():
            if count % _ROUNDS_A_SIZE == 0:
                chores.do("measuring of the journal", self._measure)
            self._look_at_messages()
            due = monotonic() + _EVERY_S
            if stop.wait(_EVERY_S):
                return
            self._meters.hub_lag_s.observe(max(0.0, monotonic() - due))

    def stuck_s(self) -> float:
        """Return for how long messages have been waiting while none came to its end."""
        return self._look_at_messages() - self._moved_at

    def _look_at_messages(self) -> float:
        """Return the time of this look."""
        books, at = self._ledger.total(), monotonic()
        ended = books["received"] - books["in_flight"]
        if ended != self._ended or not books["in_flight"]:
            self._ended, self._moved_at = ended, at
        return at

    def _measure(self) -> None:
        self.journal = self._queries.stats()
