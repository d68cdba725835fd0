"""What became of every message, by source: the equation that always holds.

``received = stored + rejected + duplicate + ignored + dropped + in_flight``
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from gateway.model import Outcome


@dataclass(slots=True)
class Account:
    """One source's messages; every outcome is counted where it happens."""

    received: int = 0
    stored: int = 0
    rejected: int = 0
    duplicate: int = 0
    ignored: int = 0
    dropped: int = 0

    @property
    def in_flight(self) -> int:
        """Messages that have come in and not ended yet; zero once all is quiet."""
        return self.received - self.stored - self.rejected - self.duplicate - self.ignored - self.dropped

    def as_dict(self) -> dict[str, int]:
        """Return LEDGER of CONTRACT.md."""
        return {**asdict(self), "in_flight": self.in_flight}


class Ledger:
    """The accounts of all sources."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._accounts = {source: Account() for source in sources}

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

    def total(self) -> dict[str, int]:
        """Return LEDGER over all sources."""
        books = [account.as_dict() for account in self._accounts.values()]
        return {key: sum(book[key] for book in books) for key in Account().as_dict()}
