"""From a batch to its end: committed and posted, refused and posted, or kept until the disk takes it."""

from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.journal.faults import is_damage, is_refusal, needs_new_connection, words
from gateway.journal.opening import suspect
from gateway.journal.records import Committed
from gateway.journal.store import Store
from gateway.journal.waiting import Waiting
from gateway.model import Entry
from gateway.runtime import monotonic

MOST_ENTRIES = 1000
"""In one commit."""
MOST_KEPT = 20_000
"""Entries that wait for the disk; what their senders allow to be unacknowledged is far less."""


class Committer:
    """Writes batches in the writer's thread; ``problem`` says in words why it can't, from the start or now."""

    def __init__(self, path: Path, store: Store, post: Callable[[Committed], None], problem: str = "") -> None:
        self.problem = problem
        self.kept: list[Entry] = []
        """Of senders that wait for the commit: they keep the message, so it may wait too. Whatever its
        outcome: a duplicate must not be settled before the message that it repeats."""
        self._in_hand: list[Entry] = []
        """Taken, and neither posted nor kept yet."""
        self._path = path
        self._store = store
        self._post = post
        self._reconnect = bool(problem)
        self.waiting = Waiting()
        """Told of what comes to its end."""

    def take(self, batch: list[Entry]) -> None:
        """Commit and post; while the disk refuses, keep what can be kept and post the rest as it is."""
        self._in_hand = batch
        if not batch and not self.problem:
            self._commit(batch)  # the books, which no entry came with
        self._write(batch)
        self._keep()
        self._in_hand = []

    def retry(self) -> None:
        """Find out whether the disk takes writes again; if so, write first what was kept."""
        try:
            if self._reconnect:
                self._store.reconnect()
            self._store.probe()
        except Exception as error:  # noqa: BLE001  whatever it is, the disk doesn't take writes
            self._refused(error)
            return
        self.problem = ""
        self._write(self.kept)

    def give_up(self, reason: str, queued: Iterable[Entry]) -> None:
        """Post all that has not come to its end, with ``queued`` after it, as not written.

        ``reason`` says why where the disk isn't to blame, and is never empty: without one it would
        be taken for stored.
        """
        left = [*self.kept, *self._in_hand, *queued]
        self.kept, self._in_hand = [], []
        if left:
            self._post_refused(left, self.problem or reason)

    def _write(self, entries: list[Entry]) -> None:
        """Commit ``entries`` from the front, post and take them off, until the disk refuses.

        Where something is wrong with one of them, fewer are tried at a time until that one is
        alone: it falls out, and no other with it.
        """
        most = MOST_ENTRIES
        while entries and not self.problem:
            part = entries[:most]
            began = monotonic()
            error = self._commit(part)
            if error and not self.problem and len(part) > 1:
                most = len(part) // 2
            elif not self.problem:
                self._finish(part, error, monotonic() - began)
                del entries[: len(part)]
                most = min(2 * most, MOST_ENTRIES)

    def _commit(self, part: list[Entry]) -> str:
        """Return what is wrong, with the disk, which is ``problem`` then, or with an entry; empty: it is done."""
        try:
            self._store.write(part)
        except Exception as error:  # noqa: BLE001  a thread that may not log hands it on in words
            if is_refusal(error):
                self._refused(error)
            return words(self._path, error)
        return ""

    def _refused(self, error: Exception) -> None:
        self.problem = words(self._path, error)
        self._reconnect = needs_new_connection(error)
        if is_damage(error):
            suspect(self._path)

    def _keep(self) -> None:
        """Keep of what is in hand what can be kept, and post the rest as it is."""
        refused: list[Entry] = []
        kept: list[Entry] = []
        for entry in self._in_hand:
            keep = entry.message.acknowledged and len(self.kept) + len(kept) < MOST_KEPT
            (kept if keep else refused).append(entry)
        self.kept += kept
        self._in_hand = refused
        if kept:
            self._post(Committed(kept, self.problem, kept=True))
        if refused:
            self._store.rejects.keep_waiting(entry for entry in refused if not entry.message.acknowledged)
            self._post_refused(refused, self.problem)

    def _post_refused(self, entries: list[Entry], reason: str) -> None:
        lost = any(entry.readings or entry.message.acknowledged for entry in entries)
        self._finish(entries, reason if lost else "")

    def _finish(self, entries: list[Entry], error: str, took_s: float = 0.0) -> None:
        self._post(Committed(entries, error, took_s=took_s))
        self.waiting.take_off(entries)
