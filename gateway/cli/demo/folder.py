"""The demo's folder, for one demo at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.cli.demo.children import DemoFailed


@contextlib.contextmanager
def only_demo_in(folder: Path) -> Iterator[None]:
    """Make ``folder``, and keep other demos out of it for the time of the context.

    Raises
    ------
    DemoFailed
        Another one runs there, or it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise DemoFailed(f"can't use {folder}: {error.strerror}") from error
    try:
        _lock(fd, folder)
        yield
    finally:
        os.close(fd)


def _lock(fd: int, folder: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DemoFailed(f"a demo runs in {folder} already; --state-dir names another folder") from error
