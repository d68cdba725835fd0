"""The journal: whether it can be read, is whole, is ours, and is in use by nobody else."""

import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from gateway.doctor.facts import Facts
from gateway.doctor.state import exists
from gateway.errors import JournalDown
from gateway.findings import Finding, error, note, warning
from gateway.journal.faults import is_damage, words
from gateway.journal.schema import connect, is_new
from gateway.machine import Process, lock_holder

ABOUT = "journal"
_CHECKED_BYTES = 256 * 2**20
"""Larger files are only looked into: all of them would take longer than anybody waits."""
_RESTART = "sudo systemctl restart telemetry-gateway: it sets the file aside, and saves what can be read of the newest"


def check(facts: Facts) -> Iterator[Finding]:
    """Look at the file, without writing to it."""
    if facts.configuration is None:
        return
    path = facts.configuration.settings.gateway.state_dir / "journal.db"
    yield from _set_aside(path)
    yield from _in_use(path, facts)
    if facts.running is not None:
        yield from _told(facts.running.problems)
    if exists(path):  # else the state folder may be closed to who asks, which its check says
        yield from _content(path, is_used=lock_holder(_lock(path)) is not None or facts.pid is not None)


def _lock(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _set_aside(path: Path) -> Iterator[Finding]:
    try:
        parts = sorted(path.parent.glob(f"{path.name}.damaged-*"))
        size = sum(each.stat().st_size for each in parts)
    except OSError:
        return
    if parts:
        text = f"a damaged journal was set aside: {parts[0].name}, {size / 2**20:.1f} MiB; a new one was begun"
        remedy = f"sqlite3 {shlex.quote(str(parts[0]))} .recover shows what is left of it; then remove it"
        yield warning("journal-set-aside", ABOUT, text, remedy)


def _in_use(path: Path, facts: Facts) -> Iterator[Finding]:
    holder = lock_holder(_lock(path))
    if holder is not None and holder not in (0, facts.pid) and not facts.is_forbidden:
        who = Process(holder, "another gateway")
        text = f"{path} is in use by {who}, which doesn't answer at this configuration's control socket"
        remedy = f"stop it (ps {holder} shows what it is), or give each gateway a state_dir of its own"
        yield error("journal-in-use", ABOUT, text, remedy)


def _told(problems: Sequence[str]) -> Iterator[Finding]:
    for problem in problems:
        if problem.startswith(("journal ", "the journal")):
            yield error("journal-trouble", ABOUT, problem, "see the findings on the state folder; df -h")


def _content(path: Path, *, is_used: bool) -> Iterator[Finding]:
    try:
        _read(path, is_used=is_used)
    except JournalDown as refusal:
        yield error("journal-not-ours", ABOUT, str(refusal), "move the file away, or change state_dir in gateway.toml")
    except (sqlite3.Error, OSError) as failure:
        yield _failed(path, failure)


def _failed(path: Path, failure: Exception) -> Finding:
    if is_damage(failure):
        return error("journal-damaged", ABOUT, f"journal {path}: is damaged ({failure})", _RESTART)
    if isinstance(failure, sqlite3.OperationalError) and not _may_read(path):
        return note(
            "journal-unread", ABOUT, f"{path} may not be read by you: it was not checked", "sudo gatewayctl doctor"
        )
    return error("journal-unusable", ABOUT, words(path, failure), "see the findings on the state folder; ls -l, df -h")


def _may_read(path: Path) -> bool:
    try:
        path.open("rb").close()
    except OSError:
        return False
    return True


def _has_log(path: Path) -> bool:
    """Tell whether a write-ahead log has something that the file itself hasn't."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _read(path: Path, *, is_used: bool) -> None:
    """Read the whole file, if it isn't too large; raises what is wrong with it."""
    # One that nobody has open is read without making the files that SQLite keeps beside it.
    mode: Literal["ro", "ro&immutable=1"] = "ro" if is_used or _has_log(path) else "ro&immutable=1"
    with closing(connect(path, mode)) as connection:
        if is_new(connection, path) or path.stat().st_size > _CHECKED_BYTES:
            return
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        failure = sqlite3.DatabaseError(verdict.splitlines()[-1])
        failure.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise failure
