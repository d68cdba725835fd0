"""A user of this machine, and what this user may do to files."""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_BITS = {os.R_OK: 4, os.W_OK: 2, os.X_OK: 1}


@dataclass(frozen=True, slots=True)
class User:
    """One user, with all groups."""

    name: str
    uid: int
    gids: frozenset[int]

    @classmethod
    def current(cls) -> Self:
        """Return who runs this process."""
        uid = os.geteuid()
        return cls(_name_of(uid), uid, frozenset((os.getegid(), *os.getgroups())))

    @classmethod
    def of_process(cls, pid: int) -> Self:
        """Return who runs process ``pid``; raises ``OSError`` when it has gone."""
        lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
        fields = {words[0].rstrip(":"): words[1:] for words in lines if words}
        uid = int(fields["Uid"][1])
        return cls(_name_of(uid), uid, frozenset(map(int, (fields["Gid"][1], *fields["Groups"]))))

    @classmethod
    def named(cls, name: str, groups: Iterable[str] = ()) -> Self | None:
        """Return the user ``name``, also a member of ``groups``; None if there is no such user."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        more = (gid for gid in map(_gid_of, groups) if gid is not None)
        return cls(name, entry.pw_uid, frozenset((*os.getgrouplist(name, entry.pw_gid), *more)))

    def may(self, path: Path, mode: int) -> bool:
        """Tell whether ``path`` may be opened, its folders included; ``mode``: ``os.R_OK``, ``os.W_OK``, ``os.X_OK``.

        A read-only file system refuses everybody. Of another user than the one who asks, access lists aren't
        looked into: where there is one, the answer is yes.

        Raises
        ------
        OSError
            There is no such file, or it is hidden from whoever asks.
        """
        found = path.stat()
        if mode & os.W_OK and os.statvfs(path).f_flag & os.ST_RDONLY and not stat.S_ISCHR(found.st_mode):
            return False
        if self.uid == 0:
            return True
        if self.uid == os.geteuid():
            return os.access(path, mode, effective_ids=True)
        folders = path.resolve().parents
        return self._allowed(path, found, mode) and all(self._allowed(each, each.stat(), os.X_OK) for each in folders)

    def _allowed(self, path: Path, found: os.stat_result, mode: int) -> bool:
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.gids else 0
        wanted = sum(bit for flag, bit in _BITS.items() if mode & flag)
        return (found.st_mode >> shift) & wanted == wanted or _has_access_list(path)


def _has_access_list(path: Path) -> bool:
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except OSError as error:
        return error.errno not in (errno.ENODATA, errno.ENOTSUP)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _gid_of(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return int(name) if name.isdecimal() else None
