"""What became of every message, by source: the equation that always holds.

``received = stored + rejected + duplicate + ignored + dropped + in_flight``
"""

from collections import Counter
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
    """The accounts of all sources; of one that is configured no longer too, in case it comes back."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._accounts: dict[str, Account] = {}
        self._shown: tuple[str, ...] = ()
        self.show(sources)

    def show(self, sources: Iterable[str]) -> None:
        """Let these be the sources that are configured; each goes on from where it was."""
        self._shown = tuple(sources)
        for source in self._shown:
            self._accounts.setdefault(source, Account())

    def restore(self, totals: Mapping[str, Totals]) -> None:
        """Go on from what was kept, before anything is counted."""
        self._accounts |= {source: Account.restored(kept) for source, kept in totals.items()}

    def totals(self) -> dict[str, Totals]:
        """Return what is to be kept over a restart, by source."""
        return {source: account.totals for source, account in self._accounts.items()}

    @property
    def in_flight(self) -> int:
        """Messages of all sources that have not ended yet, also of those that are configured no longer."""
        return sum(account.in_flight for account in self._accounts.values())

    def received(self, source: str, count: int = 1) -> None:
        """Count a message in, or several."""
        self._accounts[source].received += count

    def ended(self, source: str, outcome: Outcome, count: int = 1) -> None:
        """Count a message out, once, or several."""
        account = self._accounts[source]
        setattr(account, outcome, getattr(account, outcome) + count)

    def all_ended(self, ends: Iterable[tuple[str, Outcome]]) -> None:
        """Count the messages of a commit out: source and outcome of each."""
        for (source, outcome), count in Counter(ends).items():
            self.ended(source, outcome, count)

    def of(self, source: str) -> Account:
        """Return one source's account."""
        return self._accounts[source]

    def accounts(self) -> Iterable[tuple[str, Account]]:
        """Return each source that is configured with its account."""
        return [(source, self._accounts[source]) for source in self._shown]

    def by_source(self) -> dict[str, dict[str, int]]:
        """Return LEDGER of each source that is configured."""
        return {source: self._accounts[source].as_dict() for source in self._shown}

    def total(self) -> dict[str, int]:
        """Return LEDGER over all sources that are configured."""
        books = self.by_source().values()
        return {key: sum(book[key] for book in books) for key in Account().as_dict()}
