"""What is too old or too much goes, in slices between commits, from the front of each device.

Age is counted from a reading's arrival, not from its ``ts``: a sensor whose clock is wrong must not
make the journal drop what just came, or keep it for ever. What our own clock says is believed
slowly (see ``age``), and not before stamps of the time when it wasn't set are put right. A reading
goes only after all earlier ones of its device, and the newest one never: so what is left is always
without a hole.

Whole blocks go; the front one is cut once a quarter of its time is over. What is in no block yet is packed first.
"""

from collections.abc import Callable
from pathlib import Path

from gateway.journal.age import Age
from gateway.journal.faults import is_damage, words
from gateway.journal.front import Front
from gateway.journal.opening import suspect
from gateway.journal.packing import Packing
from gateway.journal.schema import PAGE_BYTES, wal_pages
from gateway.journal.store import Store
from gateway.runtime import since_boot
from gateway.settings import JournalSettings

_AGE_EVERY_S = 60.0
_SIZE_EVERY_S = 1.0
_KEEP_AGE_EVERY_S = 3600.0
"""A crash forgets so much of how old readings are: they stay for longer."""
_SHRINK_PAGES = 512
_DEVICES_SHARE = 16
"""The first block of so large a part of the devices goes at once: to look for them costs as much as to remove some."""


class Retention:
    """Decides what goes; ``step`` runs in the writer's thread."""

    def __init__(  # noqa: PLR0913, PLR0917  one parameter a neighbour
        self,
        path: Path,
        store: Store,
        packing: Packing,
        settings: JournalSettings,
        clock: Callable[[], float],
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self.problem = ""
        self._path = path
        self._store = store
        self._packing = packing
        self._front = Front(store, settings.retention)
        self._age = Age(store.age, clock, steady)
        self._steady = steady
        self._age_kept_at = steady()
        self.limit(settings)
        self._todo: list[str] = []
        self._before_ms = 0
        self._cuts = False

    def limit(self, settings: JournalSettings) -> None:
        """Keep to other limits from now on; any thread may say so."""
        self._front.limit(settings.retention)
        self._packing.limit(settings.max_size)
        self._retention_s = settings.retention
        self._most_bytes = settings.max_size
        # Twice: the log is cut back only after the commit that makes it too long.
        self._most_pages = max(1, settings.max_size // PAGE_BYTES - 2 * wal_pages(settings.max_size))
        self._age_looked_at = self._size_looked_at = float("-inf")

    def step(self) -> bool:
        """Do at most one slice of what is due; return whether there is more to do now."""
        try:
            return self._step()
        except Exception as error:  # noqa: BLE001  what can't be removed must not stop the writing
            self._failed(error)
            return False

    def _failed(self, error: Exception) -> None:
        self._todo = []
        self._size_looked_at = self._steady()
        self.problem = f"{words(self._path, error)}; old readings stay"
        if is_damage(error):
            suspect(self._path)

    def _step(self) -> bool:
        if not self._todo and not self._plan(self._steady()):
            return False
        if self._todo:
            if not self._front.purge(self._todo[-1], self._before_ms, cuts=self._cuts):
                self._todo.pop()
            self.problem = ""
        return True

    def _plan(self, at: float) -> bool:
        """Look for work where it is time to; return whether there is some."""
        if at - self._age_looked_at >= _AGE_EVERY_S:
            self._age_looked_at = at
            self._choose_aged()
        elif at - self._size_looked_at >= _SIZE_EVERY_S:
            return self._plan_size(at)
        return bool(self._todo)

    def _plan_size(self, at: float) -> bool:
        pages, free = self._store.pages()
        if pages - free > self._most_pages:
            if self._choose_oldest():
                return True
            self._size_looked_at = at  # not with each commit, where nothing is left that may go
            if self._has_to_pack():
                return False
        if pages > self._most_pages and free:
            self._store.shrink(min(_SHRINK_PAGES, pages - self._most_pages))
            return True
        self._size_looked_at = at
        if pages <= self._most_pages and self._store.bytes_on_disk() > self._most_bytes:
            self._store.cut_wal()
        return False

    def _choose_aged(self) -> None:
        now = self._age.look()
        if now is not None and not self._store.unset:
            self._choose_before(int((now - self._retention_s) * 1000))
            if any(self._store.heads[name].packed < self._store.heads[name].oldest for name in self._todo):
                self._has_to_pack()
        if self._steady() - self._age_kept_at >= _KEEP_AGE_EVERY_S:
            self.keep_age()

    def _has_to_pack(self) -> bool:
        """Have the log packed, and look again when that is done."""
        if self._packing.failing:
            return False
        self._packing.hurry()
        self._age_looked_at = float("-inf")
        self._todo = []
        return True

    def keep_age(self) -> None:
        """Write down how far readings have aged; also called at the end."""
        if self._age.look() is not None and self._age.reached is not None:
            self._store.keep_age(self._age.reached)
        self._age_kept_at = self._steady()

    def _choose_before(self, before_ms: int) -> None:
        self._before_ms = before_ms
        self._cuts = True
        self._todo = [
            name
            for name, head in self._store.heads.items()
            if head.oldest < head.newest and head.oldest_arrived_ms < before_ms
        ]

    def _choose_oldest(self) -> bool:
        """Choose the first blocks that ended first, of some of the devices: nobody loses much more than another."""
        heads = self._store.heads
        ends = {name: end for name, end in self._store.front_ends() if heads[name].oldest < heads[name].newest}
        if ends:
            self._before_ms = sorted(ends.values())[len(ends) // _DEVICES_SHARE] + 1
            self._cuts = False
            self._todo = [name for name, end in ends.items() if end < self._before_ms]
        return bool(self._todo)
