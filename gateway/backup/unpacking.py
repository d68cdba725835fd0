"""Taking a backup apart, into a folder of its own: what doesn't agree with its manifest is refused as a whole."""

import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from pydantic import ValidationError

from gateway.backup.archive import (
    CONFIGURATION,
    FORMAT,
    JOURNAL,
    MANIFEST,
    BackupError,
    Digesting,
    File,
    Manifest,
    is_ours,
)

_MOST_MEMBERS = 10_000
_MOST_BYTES = 4 * 2**20
"""Of each member but the journal; a manifest of 10,000 devices has 1 MiB."""
_PART_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup whose parts are what the manifest says."""

    manifest: Manifest
    journal: Path
    configuration: Mapping[str, bytes]
    """By name in the archive."""


class Archive:
    """A backup, opened once: by who may read it, and taken apart by who owns the journal; a context manager.

    Raises
    ------
    BackupError
        From all of its functions: it can't be read, is no backup, damaged, or of a newer gateway.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise BackupError(f"{self.path}: {(error.strerror or str(error)).lower()}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def unpack(self, journal: Path) -> Unpacked:
        """Take it apart, the journal in it to the path ``journal``; raises ``OSError`` if that can't be written."""
        found: dict[str, File] = {}
        texts: dict[str, bytes] = {}
        with self._reading() as archive:
            for member in archive:
                if not is_ours(member) or member.name in found or len(found) == _MOST_MEMBERS:
                    raise BackupError(f"{self.path}: is no backup of a gateway: it has {member.name!r}")
                with _content(archive, member) as content:
                    digesting = Digesting(content, lambda: None)
                    if member.name == JOURNAL:
                        _store(digesting, journal)
                    else:
                        texts[member.name] = self._small(member, digesting)
                    found[member.name] = digesting.sum()
            _read_to_end(archive)
        manifest = _manifest(self.path, texts.pop(MANIFEST, None))
        found.pop(MANIFEST, None)
        if found != manifest.files or JOURNAL not in found or CONFIGURATION not in found:
            raise BackupError(f"{self.path}: is damaged: its parts aren't what its manifest says")
        return Unpacked(manifest, journal, texts)

    def configuration(self) -> str:
        """Return the text of gateway.toml in it, which comes first."""
        with self._reading() as archive:
            member = archive.next()
            if member is None or member.name != CONFIGURATION or not member.isreg():
                raise BackupError(f"{self.path}: is no backup of a gateway")
            with _content(archive, member) as content:
                text = self._small(member, Digesting(content, lambda: None))
        try:
            return text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            remedy = "--journal-only restores the rest"
            raise BackupError(f"{self.path}: its {CONFIGURATION} is no text; {remedy}") from error

    @contextmanager
    def _reading(self) -> Iterator[tarfile.TarFile]:
        try:
            self._file.seek(0)
            with tarfile.open(fileobj=self._file, mode="r:gz") as archive:
                yield archive
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise BackupError(f"{self.path}: is damaged, or no backup of a gateway ({error})") from error
        except OSError as error:
            if error.errno is not None:
                raise
            text = f"{self.path}: is damaged, or no backup of a gateway ({error})"
            raise BackupError(text) from error  # gzip's own

    def _small(self, member: tarfile.TarInfo, content: Digesting) -> bytes:
        if member.size > _MOST_BYTES:
            raise BackupError(f"{self.path}: is no backup of a gateway: {member.name} has {member.size} bytes")
        return content.read()


def _read_to_end(archive: tarfile.TarFile) -> None:
    """Read what is behind the last part: gzip's check of all that was read, the manifest too, is at the very end."""
    assert archive.fileobj is not None
    while archive.fileobj.read(_PART_BYTES):
        pass


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    assert content is not None, "it is a plain file"
    return content


def _store(content: Digesting, target: Path) -> None:
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb") as file:
        while part := content.read(_PART_BYTES):
            file.write(part)


def _manifest(file: Path, text: bytes | None) -> Manifest:
    if text is None:
        raise BackupError(f"{file}: is no backup of a gateway, or cut off: it has no manifest")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BackupError(f"{file}: its manifest can't be understood; a newer gateway may have made it") from error
    if manifest.format > FORMAT:
        found = f"format {manifest.format}, this one knows {FORMAT}"
        raise BackupError(f"{file}: was made by a newer gateway ({manifest.gateway}; {found}); upgrade this one first")
    return manifest
