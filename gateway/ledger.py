"""What became of every message, by source: the equation that always holds.

``received = stored + rejected + duplicate + ignored + dropped + in_flight``
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.model import Outcome

Totals = tuple[int, ...]
"""Messages that came to an end, in the order of ``Outcome``."""


@dataclass(slots=True)
class Account:
    """One source's messages; every outcome is counted where it happens."""

    received: int = 0
    stored: int = 0
    rejected: int = 0
    duplicate: int = 0
    ignored: int = 0
    dropped: int = 0
    before: Totals = (0,) * len(Outcome)
    """Of these, what came to its end before this start."""

    @classmethod
    def restored(cls, totals: Sequence[int]) -> "Account":
        """Go on from ``totals`` of earlier runs: what was in flight then came again, or never."""
        return cls(sum(totals), **dict(zip(Outcome, totals, strict=True)), before=tuple(totals))

    def since_start(self) -> dict[Outcome, int]:
        """Return what came to which end in this run: a crash may have forgotten a second of the runs before."""
        return {outcome: now - then for outcome, now, then in zip(Outcome, self.totals, self.before, strict=True)}

    @property
    def dropped_since_start(self) -> int:
        """Messages that this run could not keep."""
        return self.since_start()[Outcome.DROPPED]

    @property
    def totals(self) -> Totals:
        """What is to be kept of it over a restart."""
        return tuple(getattr(self, outcome) for outcome in Outcome)

    @property
    def in_flight(self) -> int:
        """Messages that have come in and not ended yet; zero once all is quiet."""
        return self.received - self.stored - self.rejected - self.duplicate - self.ignored - self.dropped

    def as_dict(self) -> dict[str, int]:
        """Return LEDGER of docs/contract.md."""
        return {
            "received": self.received,
            **{str(outcome): getattr(self, outcome) for outcome in Outcome},
            "in_flight": self.in_flight,
        }


class Ledger:
    """The accounts of all sources."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._accounts = {source: Account() for source in sources}

    def restore(self, totals: Mapping[str, Totals]) -> None:
        """Go on from what was kept, before anything is counted; sources that are gone stay out."""
        for source in self._accounts.keys() & totals.keys():
            self._accounts[source] = Account.restored(totals[source])

    def totals(self) -> dict[str, Totals]:
        """Return what is to be kept over a restart, by source."""
        return {source: account.totals for source, account in self._accounts.items()}

    def received(self, source: str) -> None:
        """Count a message in."""
        self._accounts[source].received += 1

    def ended(self, source: str, outcome: Outcome) -> None:
        """Count a message out, once."""
        account = self._accounts[source]
        setattr(account, outcome, getattr(account, outcome) + 1)

    def of(self, source: str) -> Account:
        """Return one source's account."""
        return self._accounts[source]

    def accounts(self) -> Iterable[tuple[str, Account]]:
        """Return each source with its account."""
        return self._accounts.items()

    def by_source(self) -> dict[str, dict[str, int]]:
        """Return LEDGER of each source."""
        return {source: account.as_dict() for source, account in self._accounts.items()}

    def total(self) -> dict[str, int]:
        """Return LEDGER over all sources."""
        books = [account.as_dict() for account in self._accounts.values()]
        return {key: sum(book[key] for book in books) for key in Account().as_dict()}
