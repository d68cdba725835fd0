"""When the gateway wasn't running, a source couldn't be reached, or the clock leapt: so that no hole is unexplained.

Between commits the writer's thread notes every ten seconds that the gateway lives. What lies between the last such
sign and the next start is the gateway's absence.

Times that the clock stamps before it is set are kept as seconds since the boot, with its name, and become Unix seconds
once it is set. Those of another boot can't be known, and go.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from pathlib import Path

from gateway.journal.faults import is_damage, words
from gateway.journal.opening import suspect
from gateway.journal.records import Absence, AbsenceReason
from gateway.journal.schema import add_absences
from gateway.journal.store import Store
from gateway.runtime import SET_AFTER, is_set, monotonic, since_boot

LEAST_S = 5.0
"""What is shorter explains nothing that anybody sees."""
MOST = 5000
"""Absences that are kept; the oldest go."""
_EVERY_S = 1.0
_ALIVE_EVERY_S = 10.0
"""After a crash that is by how much an absence may begin too early, where no reading came in these seconds. To write it
oftener would cost a flash card more than the readings of a few slow sensors do."""
_MOST_TOLD = 1000
"""That wait for the disk; the oldest go."""

_LAST_ARRIVAL = "SELECT (arrived_ms + 1) / 1000.0 FROM log ORDER BY id DESC LIMIT 1"  # it was cut off
_BEFORE = "SELECT since, reason FROM absences WHERE source = '' AND since >= ? AND boot = ? ORDER BY since LIMIT 1"
_INSERT = "INSERT INTO absences (source, reason, since, until, boot) VALUES (?, ?, ?, ?, ?)"
_CLOSE = "UPDATE absences SET until = ?, boot = coalesce(?, boot) WHERE until IS NULL"
_SETTLE = """
UPDATE absences SET boot = NULL,
    since = iif(since < :set, since + :booted, since), until = iif(until < :set, until + :booted, until)
WHERE boot = :boot
"""
_PRUNE = "DELETE FROM absences WHERE (boot IS NULL AND until < ?) OR id <= (SELECT max(id) FROM absences) - ?"


class AbsenceBook:
    """Absences in the file; writer's thread, but for what says otherwise.

    Parameters
    ----------
    retention_s
        For how long readings are kept.
    clock
        Unix seconds; it may be set at any time.
    steady
        Seconds since the machine booted.
    """

    def __init__(
        self,
        path: Path,
        store: Store,
        retention_s: float,
        clock: Callable[[], float],
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self.problem = ""
        self._path = path
        self._store = store
        self._retention_s = retention_s
        self._clock = clock
        self._steady = steady
        self._started = self._stamp(0.0)
        self._has_begun = False
        self._reached = -inf
        """Up to then the last run has readings; the clock may have gone back since."""
        self._told: deque[Absence] = deque(maxlen=_MOST_TOLD)
        self._looked_at = self._written_at = -inf
        self._was_set = False

    def limit(self, retention_s: float) -> None:
        """Keep them for another time from now on; any thread may say so."""
        self._retention_s = retention_s

    def tell(self, source: str, reason: AbsenceReason, began_ago_s: float, ended_ago_s: float | None) -> Absence | None:
        """Take an absence of a source (``""``: the gateway) that began, or is over; the hub says so, and never waits.

        Returns it as it will be kept; None while the clock isn't set, as nobody can say then when it was.
        """
        since, until = self._stamp(began_ago_s), None if ended_ago_s is None else self._stamp(ended_ago_s)
        if reason == "clock" and since < self._reached < (until or since):
            since = self._reached
        absence = Absence(source, reason, since, until)
        self._told.append(absence)
        return absence if _is_dated(absence) else None

    @property
    def told(self) -> list[Absence]:
        """What isn't written yet, or was just now, and has true times; the hub asks."""
        return list(filter(_is_dated, tuple(self._told)))  # the writer may take some off meanwhile

    def step(self) -> None:
        """Write what is due; call it often."""
        at = monotonic()
        if at - self._looked_at < _EVERY_S:
            return
        if self._told or at - self._written_at >= _ALIVE_EVERY_S or self._was_set != is_set(self._clock()):
            self._try(at)
        self._looked_at = at

    def end(self) -> None:
        """Note that the gateway ends."""
        self._try(monotonic())

    def _try(self, at: float) -> None:
        try:
            self._write()
        except Exception as error:  # noqa: BLE001  what can't be noted must not stop the writing
            self.problem = f"{words(self._path, error)}; when sources are away isn't noted"
            if is_damage(error):
                suspect(self._path)
            return
        self.problem = ""
        self._written_at = at

    def _write(self) -> None:
        told = list(self._told)
        was_set = is_set(self._clock())
        with self._store.writing() as connection:
            if not self._has_begun:
                self._begin(connection)
            for absence in told:
                self._put(connection, absence)
            if was_set:
                self._settle(connection)
            self._sign(connection)
        self._has_begun, self._was_set = True, was_set
        for absence in told:
            if self._told and self._told[0] is absence:  # else it went meanwhile, as too many waited
                self._told.popleft()

    # ---- at the start

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Close what the last run left open, and note for how long nobody was here."""
        add_absences(connection)
        life, reason = self._last_sign(connection)
        connection.execute("DELETE FROM absences WHERE boot != ?", (self._boot,))
        if life is None:
            connection.execute("DELETE FROM absences WHERE until IS NULL")
            return
        self._reached = life
        connection.execute(_CLOSE, (life, self._boot_of(life)))
        self._put(connection, Absence("", reason, life, self._started))

    def _last_sign(self, connection: sqlite3.Connection) -> tuple[float | None, AbsenceReason]:
        """Return when the last run was last known to live, as ``_stamp`` does; None: that isn't known."""
        row = connection.execute("SELECT at, boot, reason FROM alive").fetchone()
        if row is None:
            return None, "stopped"
        if row[1] not in {None, self._boot}:  # what that boot stamped says nothing; what it began with does
            return connection.execute(_BEFORE, (SET_AFTER, row[1])).fetchone() or (None, "stopped")
        at, boot, reason = row
        arrived = connection.execute(_LAST_ARRIVAL).fetchone()
        latest = self._started if is_set(self._started) else at + _ALIVE_EVERY_S  # a clock may have been ahead
        if boot is None and arrived is not None and at < arrived[0] <= latest:
            at = arrived[0]
        return at, reason

    # ---- writing

    def _put(self, connection: sqlite3.Connection, absence: Absence) -> None:
        """Insert it, or put an end to the one that is open."""
        source, _, since, until = absence
        if until is not None and source:
            found = connection.execute(f"{_CLOSE} AND source = ?", (until, self._boot_of(until), source))
            if found.rowcount:
                return
        boot = self._boot_of(since) or (None if until is None else self._boot_of(until))
        connection.execute(_INSERT, (*absence, boot))

    def _settle(self, connection: sqlite3.Connection) -> None:
        """Put times of before the clock was set right; drop what is short, or by a clock that was set back no time."""
        booted = self._clock() - self._steady()
        connection.execute(_SETTLE, {"set": SET_AFTER, "booted": booted, "boot": self._boot})
        connection.execute("DELETE FROM absences WHERE boot IS NULL AND until - since < ?", (LEAST_S,))

    def _sign(self, connection: sqlite3.Connection) -> None:
        at = self._stamp(0.0)
        connection.execute("INSERT OR REPLACE INTO alive VALUES (1, ?, ?, 'stopped')", (at, self._boot_of(at)))
        connection.execute(_PRUNE, ((self._store.age or 0.0) - self._retention_s, MOST))

    # ---- stamps

    def _stamp(self, ago_s: float) -> float:
        """Return what time it was: Unix seconds, or while the clock isn't set, seconds since the boot."""
        at = self._clock()
        return (at if is_set(at) else self._steady()) - ago_s

    def _boot_of(self, stamp: float) -> str | None:
        return None if is_set(stamp) else self._boot

    @property
    def _boot(self) -> str:
        return self._store.unset.boot


def _is_dated(absence: Absence) -> bool:
    return is_set(absence.since) and is_set(absence.until or SET_AFTER)


def completed(kept: Sequence[Absence], told: Iterable[Absence]) -> list[Absence]:
    """Return what is in the file with what was told and may not be in it yet, in order of their beginnings.

    A page that asks and gets what is no longer true would never hear of it: it was announced before.
    """
    found = list(kept)
    for absence in told:
        index = _index_of(absence, found)
        if index is None:
            found.append(absence)
        elif found[index].until is None:
            found[index] = found[index]._replace(until=absence.until)
    lasting = (one for one in found if one.until is None or one.until - one.since >= LEAST_S)
    return sorted(lasting, key=lambda one: one.since)


def _index_of(absence: Absence, found: Sequence[Absence]) -> int | None:
    """Return which of them it is, or puts an end to."""
    for index, one in enumerate(found):
        is_alike = (one.source, one.reason) == (absence.source, absence.reason)
        if is_alike and (one.since == absence.since or _ends(absence, one)):
            return index
    return None


def _ends(absence: Absence, one: Absence) -> bool:
    """Tell whether it is the end of ``one``, which may be written already."""
    return absence.until is not None and (
        one.until == absence.until or (one.until is None and one.since <= absence.until)
    )


def was_restored(connection: sqlite3.Connection) -> None:
    """Let the next start say that what is missing up to it isn't in the backup; within the caller's transaction."""
    add_absences(connection)
    connection.execute("UPDATE alive SET reason = 'restored'")
