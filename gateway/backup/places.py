"""Putting files in the place of others, which are moved aside and stay."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Places:
    """Replaces files, and remembers what it moved where.

    Parameters
    ----------
    stamp
        Behind the names of what is moved aside.
    gateway
        A folder of the gateway's group, which may read files that are new.
    """

    def __init__(self, stamp: str, gateway: Path) -> None:
        self.kept: list[Path] = []
        """What was there, under its new name."""
        self._gateway = gateway
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
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            self._admit(file.fileno(), path)
            file.flush()
            os.fsync(file.fileno())
        self.aside(path)
        new.rename(path)
        return True

    def _admit(self, descriptor: int, path: Path) -> None:
        """Let those use a file who may use ``path``; where that is new: its folder's owner, and the gateway's group."""
        if path.exists():
            found = path.stat()
            uid, gid, mode = found.st_uid, found.st_gid, found.st_mode & 0o777
        else:
            uid, gid, mode = path.parent.stat().st_uid, self._gateway.stat().st_gid, 0o640
        with suppress(PermissionError):  # who isn't root restores what is his own
            os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)


@contextmanager
def owner_of(folder: Path) -> Iterator[None]:
    """Be who owns ``folder``, in the place of root: what is a link there leads root to nothing of others."""
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    gid, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)
