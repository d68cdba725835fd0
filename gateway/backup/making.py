"""Making a backup, beside a gateway that runs or without one."""

import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from gateway.backup.archive import (
    CONFIGURATION,
    FOLDER,
    FORMAT,
    JOURNAL,
    MANIFEST,
    BackupError,
    Digesting,
    File,
    Manifest,
    Pace,
)
from gateway.configuration import load
from gateway.errors import ConfigError, JournalDown
from gateway.journal import Contents, copy, examine
from gateway.settings import drop_ins

_MIB = 2**20
_SPARE_BYTES = 16 * _MIB
"""What else a backup takes, or whoever writes meanwhile."""
_FASTEST = 1
"""Of gzip: what is large in a journal is compressed already."""


def make(config: Path, journal: Path, target: Path, *, overwrite: bool = False) -> Manifest:
    """Write journal and configuration to ``target``, which is there as a whole or not at all.

    While it is made, the folder of ``target`` has to hold the journal twice.

    Raises
    ------
    BackupError
        ``target`` is there and not to be overwritten, something can't be read or written, or the journal is damaged.
    """
    if target.exists() and not overwrite:
        raise BackupError(f"{target}: is there already; --force overwrites it")
    try:
        _check_room(journal, target)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            return _make(config, journal, target, Path(folder))
    except JournalDown as error:
        raise BackupError(str(error)) from error
    except OSError as error:
        raise BackupError(f"{error.filename or target}: {(error.strerror or str(error)).lower()}") from error


def _check_room(journal: Path, target: Path) -> None:
    parts = (journal, journal.with_name(journal.name + "-wal"))
    needed = 2 * sum(part.stat().st_size for part in parts if part.exists()) + _SPARE_BYTES
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise BackupError(f"{target.parent}: {needed // _MIB} MiB are needed while it is made, {free // _MIB} are free")


def _make(config: Path, journal: Path, target: Path, folder: Path) -> Manifest:
    copied, written = folder / JOURNAL, folder / "backup"
    pace = Pace()

    def rest() -> None:
        _sync(copied)  # now and then, or else the system would write all of it at once
        pace()

    copy(journal, copied, rest)
    contents = _examined(copied, journal, pace)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        manifest = _write(file, config, copied, contents, pace)
        file.flush()
        os.fsync(file.fileno())
    written.replace(target)
    _sync(target.parent)
    return manifest


def _examined(copied: Path, journal: Path, pace: Pace) -> Contents:
    try:
        return examine(copied, pace)
    except JournalDown as error:
        raise BackupError(str(error).replace(str(copied), str(journal))) from error


def _write(file: IO[bytes], config: Path, copied: Path, contents: Contents, pace: Pace) -> Manifest:
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=_FASTEST) as archive:
        files: dict[str, File] = {}
        for name, content in _configuration(config).items():
            files[name] = _add(archive, name, io.BytesIO(content), len(content), pace)
        with copied.open("rb") as data:
            files[JOURNAL] = _add(archive, JOURNAL, data, copied.stat().st_size, pace)
        manifest = _manifest(config, contents, files)
        text = manifest.model_dump_json(indent=2).encode()
        _add(archive, MANIFEST, io.BytesIO(text), len(text), pace)
    return manifest


def _add(archive: tarfile.TarFile, name: str, data: IO[bytes], size: int, pace: Pace) -> File:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
    digesting = Digesting(data, pace)
    archive.addfile(member, digesting)
    return digesting.sum()


def _configuration(config: Path) -> Mapping[str, bytes]:
    try:
        added = drop_ins(config)
    except ConfigError as error:
        raise BackupError(str(error)) from error
    return {CONFIGURATION: config.read_bytes()} | {f"{FOLDER}/{path.name}": path.read_bytes() for path in added}


def _manifest(config: Path, contents: Contents, files: Mapping[str, File]) -> Manifest:
    return Manifest(
        format=FORMAT,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        gateway=version("telemetry-gateway"),
        layout=contents.layout,
        sqlite=sqlite3.sqlite_version,
        readings=sum(contents.readings.values()),
        devices=contents.last,
        files=files,
        left_out=tuple(sorted(set(_secret_files(config)))),
    )


def _secret_files(config: Path) -> Iterator[str]:
    try:
        adapters = load(config, elsewhere=True).adapters
    except ConfigError:
        return  # it is kept as it is; gatewayctl check says what is wrong
    for _, settings in adapters:
        yield from map(str, settings.secret_files().values())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
