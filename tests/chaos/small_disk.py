"""A small file system of its own for the daemon, which can be filled and made read-only.

It lives in a mount namespace, in a user namespace where the test isn't root's: nothing is mounted for
anybody else, nothing stays mounted when a test dies, and it needs no privileges on Debian.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

from tests.support.ports import wait_until

_FILLER = "filler"


class SmallDisk:
    """A tmpfs at ``mount_point``, seen by those who are started by ``command``; a context manager."""

    def __init__(self, mount_point: Path, size_kib: int) -> None:
        self._mount_point = mount_point
        self._size_kib = size_kib

    def __enter__(self) -> Self:
        self._mount_point.mkdir(parents=True)
        mount = f'mount -t tmpfs -o size={self._size_kib}k,mode=777 none "$0" && echo mounted && exec sleep infinity'
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(self._mount_point)]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "mounted\n":
            _, why = self._holder.communicate()
            pytest.fail(f"no file system can be mounted here, even in a user namespace: {why}")
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.communicate()

    def command(self, command: Sequence[str]) -> list[str]:
        """Return what runs ``command`` where the file system is seen."""
        enter = ["nsenter", f"--target={self._holder.pid}", "--user", "--mount", "--preserve-credentials"]
        return [*enter, f"--wd={Path.cwd()}", *command]

    @property
    def root(self) -> Path:
        """Where the test finds the file system's files."""
        return Path(f"/proc/{self._holder.pid}/root{self._mount_point}")

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.root / _FILLER).open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                while _write(file.fileno(), size):
                    pass

    def make_room(self) -> None:
        """Free what ``fill`` took."""
        (self.root / _FILLER).unlink()

    def remount(self, mode: str) -> None:
        """Make it ``ro`` or ``rw``; nobody may have a file open for writing."""
        command = self.command(["mount", "-o", f"remount,{mode}", str(self._mount_point)])
        wait_until(lambda: subprocess.run(command, check=False, capture_output=True).returncode == 0, f"it is {mode}")

    def free_bytes(self) -> int:
        """Return how much room there is."""
        return shutil.disk_usage(self.root).free


def _write(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, bytes(size)) > 0
    except OSError:
        return False
