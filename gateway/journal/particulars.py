"""What the makers of this want to know of a journal that isn't well: all but the readings."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.journal import schema
from gateway.journal.exporting import reading_mode
from gateway.journal.faults import words

_CHECKED_BYTES = 256 * 2**20
"""Larger files aren't checked: it would take minutes."""
_PRAGMAS = (
    "application_id",
    "user_version",
    "page_size",
    "page_count",
    "freelist_count",
    "auto_vacuum",
    "journal_mode",
)
_COUNTED = ("devices", "logged", "blocks", "rejects", "repeats", "deliveries", "resume", "unset", "absences")


def particulars(path: Path) -> dict[str, object]:
    """Return sizes, schema, numbers of rows and the verdict of a check, as JSON has it; nothing is raised."""
    found: dict[str, object] = {"path": str(path), "files": _files(path)}
    try:
        with closing(schema.connect(path, reading_mode(path))) as connection:
            found |= {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS}
            query = "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY type, name"
            found["schema"] = [sql for (sql,) in connection.execute(query)]
            found["rows"] = {table: _count(connection, table) for table in _COUNTED}
            found["quick_check"] = _check(connection, path)
    except (sqlite3.Error, OSError) as error:
        found["error"] = words(path, error)
    return found


def _files(path: Path) -> dict[str, int]:
    try:
        return {each.name: each.stat().st_size for each in sorted(path.parent.glob(f"{path.name}*"))}
    except OSError:
        return {}


def _count(connection: sqlite3.Connection, table: str) -> int | str:
    try:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  our own names
    except sqlite3.Error as error:
        return str(error)
    return int(count)


def _check(connection: sqlite3.Connection, path: Path) -> list[str]:
    if path.stat().st_size > _CHECKED_BYTES:
        return ["not checked: it is large"]
    return [verdict for (verdict,) in connection.execute("PRAGMA quick_check(20)")]
