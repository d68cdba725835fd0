"""Putting files in the place of others, which are moved aside and stay."""

import os
from contextlib import suppress
from pathlib import Path


class Places:
    """Replaces files, and remembers what it moved where.

    Parameters
    ----------
    stamp
        Behind the names of what is moved aside.
    """

    def __init__(self, stamp: str) -> None:
        self.kept: list[Path] = []
        """What was there, under its new name."""
        self._suffix = f".before-restore-{stamp}"

    def aside(self, path: Path, tail: str = "") -> None:
        """Move the file whose name is that of ``path`` with ``tail`` out of the way, if it is there."""
        there = path.with_name(path.name + tail)
        if there.exists():
            kept = path.with_name(path.name + self._suffix + tail)
            there.rename(kept)
            self.kept.append(kept)

    def put(self, path: Path, content: bytes) -> bool:
        """Write a file, as whose the present one is; return whether it is another now."""
        if path.exists() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}{self._suffix}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            new.chmod(path.stat().st_mode & 0o777)
        give(new, path if path.exists() else path.parent)
        self.aside(path)
        new.rename(path)
        return True


def give(path: Path, like: Path) -> None:
    """Let ``path`` belong to whom ``like`` belongs: root restores what the gateway's user is to use."""
    owner = like.stat()
    with suppress(PermissionError):
        os.chown(path, owner.st_uid, owner.st_gid)
