"""Restoring a backup: everything is checked before anything is touched, and nothing that was there is deleted."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.backup.archive import CONFIGURATION, JOURNAL, BackupError, Manifest
from gateway.backup.places import Places, owner_of
from gateway.backup.unpacking import Archive, Unpacked
from gateway.errors import JournalDown
from gateway.journal import Contents, examine, go_on_past, last_numbers
from gateway.journal.opening import lock
from gateway.journal.schema import LAYOUT, connect, sibling
from gateway.runtime import now
from gateway.settings import control_socket, drop_ins, state_dir

_READY = ".ready"
"""Behind the name of a journal that is whole: the gateway's start puts it in its place, if it finds none there."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of it."""

    manifest: Manifest
    journal: Path
    contents: Contents
    past: Mapping[str, int]
    """Past which ``seq`` each device goes on; ``""``: those that the backup doesn't know."""
    configuration: tuple[Path, ...]
    """Files that are different now."""
    kept: tuple[Path, ...]
    """What was there, under its new name."""


def restore(file: Path, config: Path, *, journal_only: bool = False) -> Restored:
    """Put journal and configuration of a backup in the place of those that are there.

    Parameters
    ----------
    config
        Where the configuration is, or is to be.
    journal_only
        Leave the configuration as it is.

    Raises
    ------
    BackupError
        A gateway runs, or the backup can't be used: then nothing was changed. Or something can't be written.
    ConfigError
        Nothing says where the journal is to be.
    """
    try:
        with Archive(file) as archive:
            folder = control_socket(config).parent if journal_only else state_dir(config, archive.configuration())
            folder.mkdir(parents=True, exist_ok=True)
            with _no_gateway(folder / JOURNAL):
                return _restore(archive, config, folder / JOURNAL, journal_only=journal_only)
    except JournalDown as error:
        raise BackupError(str(error)) from error
    except OSError as error:
        raise BackupError(f"{error.filename or file}: {(error.strerror or str(error)).lower()}") from error


@contextmanager
def _no_gateway(journal: Path) -> Iterator[None]:
    """Keep gateways from the journal meanwhile."""
    try:
        with owner_of(journal.parent):
            held = lock(journal)
    except JournalDown as error:
        if isinstance(error.__cause__, BlockingIOError):
            remedy = "stop it first: sudo systemctl stop telemetry-gateway, or Ctrl-C where it runs"
            raise BackupError(f"the gateway is running, and nothing was changed; {remedy}") from error
        raise
    with held:
        yield


def _restore(archive: Archive, config: Path, journal: Path, *, journal_only: bool) -> Restored:
    new = sibling(journal, ".restoring")
    with owner_of(journal.parent):
        unpacked, contents, past = _made(archive, journal, new)
    places = Places(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", journal.parent)
    changed = () if journal_only else tuple(_configure(config, unpacked.configuration, places))
    with owner_of(journal.parent):
        _exchange(journal, new, places)
    return Restored(unpacked.manifest, journal, contents, past, changed, tuple(places.kept))


def _made(archive: Archive, journal: Path, new: Path) -> tuple[Unpacked, Contents, Mapping[str, int]]:
    """Make ``new``, which is to be the journal; return what is in it, and past which ``seq`` it goes on."""
    try:
        unpacked = archive.unpack(new)
        return unpacked, _checked(archive.path, unpacked), go_on_past(new, last_numbers(journal), now())
    except BaseException:
        for suffix in ("", "-wal", "-shm"):
            sibling(new, suffix).unlink(missing_ok=True)
        raise


def _checked(file: Path, unpacked: Unpacked) -> Contents:
    manifest = unpacked.manifest
    try:
        contents = examine(unpacked.journal)
    except JournalDown as error:
        if manifest.layout < LAYOUT:
            text = f"has the journal of an older gateway: restore it with version {manifest.gateway}, then upgrade"
            raise BackupError(f"{file}: {text}") from error
        raise BackupError(str(error).replace(f"journal {unpacked.journal}", f"{file}: the journal in it")) from error
    if (sum(contents.readings.values()), contents.last) != (manifest.readings, manifest.devices):
        raise BackupError(f"{file}: is damaged: its journal isn't what its manifest says")
    return contents


def _configure(config: Path, texts: Mapping[str, bytes], places: Places) -> Iterator[Path]:
    """Let the configuration be that of the backup, and no more; yield what is different now."""
    wanted = {config if name == CONFIGURATION else config.parent / name: text for name, text in texts.items()}
    for path in drop_ins(config):
        if path not in wanted:
            places.aside(path)
            yield path
    for path, text in wanted.items():
        if places.put(path, text):
            yield path


def _exchange(journal: Path, new: Path, places: Places) -> None:
    """Put the new journal in the place of the old one; a start after a crash in between does so too."""
    ready = sibling(journal, _READY)
    new.rename(ready)
    with suppress(sqlite3.Error), closing(connect(journal, "rw")) as old:
        old.execute("PRAGMA journal_mode = DELETE").fetchone()  # its log must not be taken for the new one's
    for tail in ("-wal", "-shm", ""):
        places.aside(journal, tail)
    ready.rename(journal)
