"""Who has a file open, listens on a port, or holds a lock: read from /proc.

Of other users' processes only root sees what they have open; then less is found, and nothing wrong.
"""

import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"
_LONGEST = 60
_PTS = range(136, 144)
"""Major numbers of pseudo-terminals: Linux, Documentation/admin-guide/devices.txt."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, as people know it."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (process {self.pid})"


def holders(path: Path) -> list[Process]:
    """Return the processes that have ``path`` open, but for this one."""
    try:
        wanted = path.stat()
    except OSError:
        return []
    return _with_open(os.path.realpath(path), lambda descriptor: _leads_to(descriptor, wanted))


def called(name: str) -> list[Process]:
    """Return the processes whose program is called ``name`` (the kernel keeps 15 letters)."""
    return [_process(pid) for pid in _pids() if _text(_PROC / str(pid) / "comm").strip() == name[:15]]


def listeners(host: str, port: int) -> tuple[list[Process], int | None]:
    """Return who listens where ``host`` and ``port`` can't be listened on too, and the uid of one of them.

    The processes are those that may be looked into; the uid is None if nobody listens.
    """
    found = [(inode, uid) for address, inode, uid in _listening(port) if _collide(host, address)]
    by_pid = {each.pid: each for inode, _ in found for each in _with_open(f"socket:[{inode}]")}
    return list(by_pid.values()), found[0][1] if found else None


def lock_holder(path: Path) -> int | None:
    """Return the process that holds an exclusive ``flock`` of ``path``; 0: one that can't be seen; None: nobody."""
    try:
        inode = path.stat().st_ino
    except OSError:
        return None
    for line in _text(_PROC / "locks").splitlines():
        words = line.split()
        if words[1:4] == ["FLOCK", "ADVISORY", "WRITE"] and words[5].rpartition(":")[2] == str(inode):
            return int(words[4])
    return None


def _leads_to(descriptor: Path, wanted: os.stat_result) -> bool:
    try:
        return _is_same(descriptor.stat(), wanted)
    except OSError:
        return False  # closed by now


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Tell whether both are one file or device; a name alone says little, for containers have their own."""
    if (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino):
        return True
    # A device may have several files. A pseudo-terminal doesn't, and its number is given anew in each container.
    numbers = one.st_rdev == other.st_rdev and stat.S_ISCHR(one.st_mode) and stat.S_ISCHR(other.st_mode)
    return numbers and os.major(one.st_rdev) not in _PTS


def _anything(_descriptor: Path) -> bool:
    return True


def _with_open(target: str, also: Callable[[Path], bool] = _anything) -> list[Process]:
    """Return the processes with a descriptor of the name ``target``, of which ``also`` holds."""
    others = (pid for pid in _pids() if pid != os.getpid())
    return [_process(pid) for pid in others if any(also(each) for each in _open_by(pid, target))]


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())


def _open_by(pid: int, target: str) -> Iterator[Path]:
    """Yield the descriptors of a process that are of the name ``target``."""
    with suppress(OSError):  # it has ended, or isn't ours to look into
        for descriptor in (_PROC / str(pid) / "fd").iterdir():
            if _link(descriptor) == target:
                yield descriptor


def _link(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""  # closed by now


def _process(pid: int) -> Process:
    words = _text(_PROC / str(pid) / "cmdline").replace("\0", " ").strip()
    command = words or _text(_PROC / str(pid) / "comm").strip() or "?"
    return Process(pid, command if len(command) <= _LONGEST else command[: _LONGEST - 1] + "…")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _listening(port: int) -> Iterator[tuple[str, str, int]]:
    """Yield address, inode and uid of each socket that listens on ``port``."""
    for name in ("tcp", "tcp6"):
        for line in _text(_PROC / "net" / name).splitlines()[1:]:
            words = line.split()
            address, _, number = words[1].partition(":")
            if words[3] == _LISTENING and int(number, 16) == port:
                yield _address(address), words[9], int(words[7])


def _address(digits: str) -> str:
    """Return the address that the kernel prints as 32-bit numbers in this machine's order."""
    numbers = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    return str(ip_address(struct.pack(f"={len(numbers)}I", *numbers)))


def _collide(host: str, taken: str) -> bool:
    """Tell whether listening on ``host`` is impossible while somebody listens on ``taken``."""
    wanted = ip_address(socket.gethostbyname(host) if host == "localhost" else host)
    other = ip_address(taken)
    if other.version == wanted.version:
        return wanted == other or wanted.is_unspecified or other.is_unspecified
    return wanted.is_unspecified or other.is_unspecified
