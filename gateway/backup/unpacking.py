"""Taking a backup apart, into a folder of its own: what doesn't agree with its manifest is refused as a whole."""

import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

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


def unpack(file: Path, journal: Path) -> Unpacked:
    """Take ``file`` apart, the journal in it to the path ``journal``.

    Raises
    ------
    BackupError
        It can't be read, is no backup, damaged, or of a newer gateway.
    OSError
        ``journal`` can't be written.
    """
    found: dict[str, File] = {}
    texts: dict[str, bytes] = {}
    with _reading(file) as archive:
        for member in archive:
            if not is_ours(member) or member.name in found or len(found) == _MOST_MEMBERS:
                raise BackupError(f"{file}: is no backup of a gateway: it has {member.name!r}")
            with _content(archive, member) as content:
                digesting = Digesting(content, lambda: None)
                if member.name == JOURNAL:
                    _store(digesting, journal)
                else:
                    texts[member.name] = _small(file, member, digesting)
                found[member.name] = digesting.sum()
    manifest = _manifest(file, texts.pop(MANIFEST, None))
    found.pop(MANIFEST, None)
    if found != manifest.files or JOURNAL not in found or CONFIGURATION not in found:
        raise BackupError(f"{file}: is damaged: its parts aren't what its manifest says")
    return Unpacked(manifest, journal, texts)


def configuration_in(file: Path) -> str:
    """Return the text of gateway.toml in a backup, which comes first; raises ``BackupError`` if it can't be had."""
    with _reading(file) as archive:
        member = archive.next()
        if member is None or member.name != CONFIGURATION or not member.isreg():
            raise BackupError(f"{file}: is no backup of a gateway")
        with _content(archive, member) as content:
            text = _small(file, member, Digesting(content, lambda: None))
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BackupError(f"{file}: its {CONFIGURATION} is no text; --journal-only restores the rest") from error


@contextmanager
def _reading(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        opened = file.open("rb")
    except OSError as error:
        raise BackupError(f"{file}: {(error.strerror or str(error)).lower()}") from error
    with opened:
        try:
            with tarfile.open(fileobj=opened, mode="r:gz") as archive:
                yield archive
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise BackupError(f"{file}: is damaged, or no backup of a gateway ({error})") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise BackupError(f"{file}: is damaged, or no backup of a gateway ({error})") from error  # gzip's own


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    assert content is not None, "it is a plain file"
    return content


def _small(file: Path, member: tarfile.TarInfo, content: Digesting) -> bytes:
    if member.size > _MOST_BYTES:
        raise BackupError(f"{file}: is no backup of a gateway: {member.name} has {member.size} bytes")
    return content.read()


def _store(content: Digesting, target: Path) -> None:
    with target.open("wb") as file:
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
