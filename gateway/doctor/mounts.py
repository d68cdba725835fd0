"""Which file system a path is on."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system, where it is mounted."""

    point: Path
    kind: str
    """``ext4``, ``tmpfs``; empty: unknown."""
    device: str = ""
    """``8:1``: the numbers of its device."""


def mount_of(path: Path, table: Path = _TABLE) -> Mount:
    """Return what ``path`` is on, from the kernel's table of mounts (proc(5))."""
    real = Path(os.path.realpath(path))
    mounts = [_parsed(line) for line in table.read_text(encoding="utf-8", errors="replace").splitlines()]
    around = [mount for mount in reversed(mounts) if real.is_relative_to(mount.point)]  # the last is on top
    return max(around, key=lambda mount: len(mount.point.parts), default=Mount(Path("/"), ""))


def _parsed(line: str) -> Mount:
    front, _, back = line.partition(" - ")
    point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), front.split()[4])
    return Mount(Path(point), back.split()[0], front.split()[2])
