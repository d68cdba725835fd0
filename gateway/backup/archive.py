"""What a backup is: a tar archive in gzip, which any tar takes apart, with a manifest at its end."""

import hashlib
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from gateway.errors import GatewayError

FORMAT = 1
JOURNAL = "journal.db"
CONFIGURATION = "gateway.toml"
FOLDER = "conf.d"
MANIFEST = "manifest.json"
_SHORTEST_S = 0.02


class BackupError(GatewayError):
    """A backup can't be made or restored; the message says why, and that nothing was changed or what was."""


class File(BaseModel):
    """A file in the archive."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What is in the archive, and what made it. Unknown fields are of newer gateways, and harmless."""

    model_config = ConfigDict(frozen=True)

    format: int
    made: str
    """ISO 8601, UTC."""
    gateway: str
    """Its version."""
    layout: int
    """Of the journal."""
    sqlite: str
    readings: int
    devices: Mapping[str, int]
    """The greatest ``seq`` of each."""
    files: Mapping[str, File]
    """By name, all but the manifest."""
    left_out: tuple[str, ...] = ()
    """Files with secrets that the configuration names."""


class Pace:
    """Leaves the disk and the processor to others for half of the time."""

    def __init__(self) -> None:
        self._began_at = time.monotonic()

    def __call__(self) -> None:
        """Rest for as long as was worked since the last rest."""
        worked_s = time.monotonic() - self._began_at
        if worked_s >= _SHORTEST_S:
            time.sleep(worked_s)
            self._began_at = time.monotonic()


class Digesting:
    """A file that is read; what of it has passed is summed up.

    Parameters
    ----------
    file
        Opened for reading bytes.
    pause
        Called after each part.
    """

    def __init__(self, file: IO[bytes], pause: Callable[[], object]) -> None:
        self._file = file
        self._pause = pause
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        """Read a part."""
        self._pause()
        data = self._file.read(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    def sum(self) -> File:
        """Return what has passed."""
        return File(bytes=self._size, sha256=self._digest.hexdigest())


def is_ours(member: tarfile.TarInfo) -> bool:
    """Tell whether a backup has such a member: a plain file of a known name, and no way out of the folder."""
    folder, slash, name = member.name.rpartition("/")
    if not member.isreg():
        return False
    if not slash:
        return name in (JOURNAL, CONFIGURATION, MANIFEST)
    return folder == FOLDER and Path(name).suffix == ".toml" and not name.startswith(".") and name.isprintable()
