"""The journal's writing side: appended to by the hub, written by one native thread.

The thread never logs and touches nothing green (docs/traps.md 6.3): what it has to say it posts.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from gateway.errors import JournalDown
from gateway.heartbeat import Heartbeat
from gateway.journal.committer import MOST_ENTRIES, Committer
from gateway.journal.faults import words
from gateway.journal.housekeeping import Housekeeping
from gateway.journal.opening import lock, open_store
from gateway.journal.records import Absence, AbsenceReason, Committed, Opened
from gateway.journal.tails import Tails
from gateway.ledger import Totals
from gateway.model import Entry
from gateway.runtime import NativeCondition, NativeThread, is_set, monotonic, now, since_boot
from gateway.settings import JournalSettings

_TICK_S = 1.0
"""How often an idle writer looks what is due: retention, or whether the disk takes writes again."""
_APART_S = 0.003
"""Between the starts of two commits, at least: what comes sooner waits for company. A commit that is alone begins at
once, and one that took longer than this has gathered its successor meanwhile. A busy MQTT source hands over what came
in 4 ms; this is less, or else most of its messages would wait twice."""
_COMPANY = 100
"""Entries that wait for no more."""


class Journal:
    """Keeps readings; what became of them is posted in the order in which they were appended.

    Parameters
    ----------
    path
        Of the SQLite file; made with its folder where it is missing.
    settings
        How long, how much, how durable.
    post
        Called in the writer's thread with what came to its end; must return at once, as
        ``runtime.Inbox.post`` does. Called by ``append`` itself for an entry that finds no room.
    clock
        Unix seconds, by which readings grow old; it may be set at any time.
    steady
        Seconds since the machine booted.
    """

    def __init__(
        self,
        path: Path,
        settings: JournalSettings,
        post: Callable[[Committed], None],
        clock: Callable[[], float] = now,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self.heartbeat = Heartbeat()
        """Beaten by the writer, about once a second or oftener; begins with ``open``."""
        self.tails = Tails()
        """Where readings are that ``Queries`` of this process don't find in blocks."""
        self._path = path
        self._settings = settings
        self._post = post
        self._clock = clock
        self._steady = steady
        self._booted: float | None = None
        self._queue: deque[Entry] = deque()
        self._changed = NativeCondition()
        self._idle = False
        self._closing = False
        self._busy = False
        self._began_at = float("-inf")
        self._retry_at = 0.0
        self._stopped = f"journal {path}: is not open"
        self._committer: Committer
        self._housekeeping: Housekeeping
        self._lock: IO[bytes]
        self._thread: NativeThread | None = None

    def open(self) -> Opened:
        """Load the file, or begin one, and start to write; blocks.

        Raises
        ------
        JournalDown
            The file can't be used: locked by another gateway, another program's, a newer
            gateway's, or unreadable. A damaged one is set aside, see ``Opened.problem``. One that
            can only be read is loaded, and writing begins as soon as the disk lets it.
        """
        self._lock = lock(self._path)
        try:
            self._store, opened = open_store(self._path, self._settings, self.tails)
        except JournalDown:
            self._lock.close()
            raise
        self._committer = Committer(self._path, self._store, self._post, opened.refused)
        parts = self._path, self._store, self._settings, self._post, self._clock, self._steady
        self._housekeeping = Housekeeping(*parts)
        if not opened.refused:
            self._housekeeping.absences.step()  # before anybody asks
        self._stopped = ""
        self.heartbeat.beat()
        self._thread = NativeThread(target=self._work, name="journal-writer", daemon=True)
        self._thread.start()
        return opened

    def append(self, entry: Entry) -> None:
        """Take an entry, to be committed and posted; never blocks. One thread calls this."""
        self.append_all((entry,))

    def append_all(self, entries: Iterable[Entry]) -> None:
        """Take entries, in their order.

        Where the disk is so slow that the queue is full, one that its sender doesn't keep is posted at once, with an
        error; where too many bytes wait, any.
        """
        for entry in entries:
            if self._stopped or not self._committer.waiting.add(entry, len(self._queue)):
                why = self._stopped or self._committer.problem or f"journal {self._path}: the disk is too slow"
                self._post(Committed([entry], why))
                continue
            if not is_set(entry.message.arrived):
                entry.booted = self._boot_of(entry)
            self._queue.append(entry)
        if self._stopped and self._queue:  # since it was looked at: the writer may have gone by
            for late in self._queued():
                self._post(Committed([late], self._stopped))
        self._wake()

    def _wake(self) -> None:
        if self._idle:  # set before the writer looks at the queue: no entry is left without a wake-up
            with self._changed:
                self._changed.notify()

    def _boot_of(self, entry: Entry) -> float | None:
        """Return when this boot began by the clock that stamped ``entry``; None: that was an earlier one."""
        wall = self._clock()
        if not is_set(wall):  # else it was set just now, after the stamp
            self._booted = wall - self._steady()
        return self._booted if entry.replays is None else None

    def keep_ledger(self, totals: Mapping[str, Totals]) -> None:
        """Note how many messages have come to which end, to be written within about a second; never blocks."""
        self._store.ledger.told = totals

    def limit(self, settings: JournalSettings) -> None:
        """Keep to another retention and size from now on; never blocks."""
        self._settings = settings
        self._housekeeping.limit(settings)

    def keep_absence(
        self, source: str, reason: AbsenceReason, began_ago_s: float, ended_ago_s: float | None = None
    ) -> Absence | None:
        """Note when a source was away, and return it, as ``AbsenceBook.tell`` does; never blocks."""
        return self._housekeeping.absences.tell(source, reason, began_ago_s, ended_ago_s)

    def told_absences(self) -> list[Absence]:
        """Return those that may not be in the file yet, in the order in which they were told."""
        return self._housekeeping.absences.told

    @property
    def backlog(self) -> int:
        """Entries that are not posted yet, but for those in the commit that is running."""
        return len(self._queue) + (len(self._committer.kept) if self._thread else 0)

    @property
    def writable(self) -> bool:
        """Whether the last commit came through."""
        return not (self._stopped or self._committer.problem)

    @property
    def problem(self) -> str:
        """What is wrong, for people: file and cause; empty: nothing."""
        return self._stopped or self._committer.problem or self._housekeeping.problem

    def close(self, within_s: float = 10.0) -> bool:
        """Commit and post what was appended, let the file go; tell whether ``within_s`` was enough; blocks."""
        if self._thread is None:
            return True
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while not (self._closing and not self._queue):
                self._turn()
            if self._committer.problem:
                self._committer.retry()
            self._store.hurry()
            self._committer.take([])
            if not self._committer.problem:
                self._housekeeping.absences.end()
            self._stopped = f"journal {self._path}: is closed"
        except Exception as error:  # noqa: BLE001  a thread that may not log says in words why it ends
            self._stopped = words(self._path, error)
        finally:
            self._end()

    def _turn(self) -> None:
        self.heartbeat.beat()
        batch = self._next_batch()
        was_writable = not self._committer.problem
        if batch or (was_writable and self._store.books_due()):
            self._began_at = monotonic()
            self._committer.take(batch)
        if not self._committer.problem:
            self._busy = self._housekeeping.step()
        elif was_writable:
            self._busy, self._retry_at = False, monotonic() + _TICK_S
        elif monotonic() >= self._retry_at:
            self._committer.retry()
            self._retry_at = monotonic() + _TICK_S

    def _next_batch(self) -> list[Entry]:
        """Wait for entries, for something due, or for the end."""
        with self._changed:
            self._idle = True
            if not (self._queue or self._busy or self._closing):
                self._changed.wait(_TICK_S)
            self._idle = False
            early_s = self._began_at + _APART_S - monotonic()
            if early_s > 0 and 0 < len(self._queue) < _COMPANY and not self._closing:
                self._changed.wait(early_s)
        return [self._queue.popleft() for _ in range(min(len(self._queue), MOST_ENTRIES))]

    def _end(self) -> None:
        """Post what could not be written, and let the file go."""
        self._stopped = self._stopped or f"journal {self._path}: its writer has ended"
        try:
            self._committer.give_up(self._stopped, self._queued())
        finally:
            with suppress(Exception):
                self._housekeeping.retention.keep_age()
            self._store.close()
            self._lock.close()

    def _queued(self) -> Iterator[Entry]:
        """Take all that is queued; the hub and the writer may both do so at the end, each entry goes to one."""
        with suppress(IndexError):
            while True:
                yield self._queue.popleft()
