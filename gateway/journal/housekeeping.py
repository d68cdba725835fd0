"""What the writer does between commits, a slice at a time."""

from collections.abc import Callable
from pathlib import Path

from gateway.journal.absences import AbsenceBook
from gateway.journal.packing import Packing
from gateway.journal.rebase import Rebase
from gateway.journal.records import Committed
from gateway.journal.retention import Retention
from gateway.journal.store import Store
from gateway.settings import JournalSettings


class Housekeeping:
    """The chores and their order; writer's thread, but for what says otherwise."""

    def __init__(  # noqa: PLR0913, PLR0917  one parameter a neighbour
        self,
        path: Path,
        store: Store,
        settings: JournalSettings,
        post: Callable[[Committed], None],
        clock: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self.absences = AbsenceBook(path, store, settings.retention, clock, steady)
        self.packing = Packing(path, store, settings.max_size, steady)
        self.retention = Retention(path, store, self.packing, settings, clock, steady)
        self._rebase = Rebase(path, store, post, clock, steady)

    @property
    def problem(self) -> str:
        """What is wrong, for people; empty: nothing. Any thread may ask."""
        return self._rebase.problem or self.packing.problem or self.retention.problem or self.absences.problem

    def limit(self, settings: JournalSettings) -> None:
        """Keep to another retention and size from now on; any thread may say so."""
        self.absences.limit(settings.retention)
        self.retention.limit(settings)

    def step(self) -> bool:
        """Do at most one slice of what is due; return whether there is more to do now."""
        has_more = self._rebase.step() or self._tidy()
        self.absences.step()
        return has_more

    def _tidy(self) -> bool:
        """Pack, or remove what is old.

        Between two rounds of packing the other comes first: where one round follows the other it would never come.
        """
        if self.packing.is_under_way:
            return self.packing.step() or self.retention.step()
        return self.retention.step() or self.packing.step()
