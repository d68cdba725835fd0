"""What a configuration refers to, and only the running gateway has: its environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from gateway.doctor.unit import Unit
from gateway.errors import ConfigError
from gateway.machine import User
from gateway.settings import drop_ins
from gateway.settings.references import CREDENTIALS

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)


def borrow(path: Path, pid: int, control: Path, service: Unit | None) -> None:
    """Take into this process's environment what ``path`` refers to, as process ``pid`` has it; what is set here stays.

    From the process itself only if it is of who asks: any other could tell root so where to connect, and with what,
    the service too, which can write over its own environment. What that was started with, systemd says.

    Parameters
    ----------
    path
        The configuration.
    pid, control
        The gateway, and its socket.
    service
        The service; not asked where ``pid`` isn't its.
    """
    theirs: Mapping[str, str] = {}
    if _is_of_us(pid, control):
        theirs = _environment(pid)
    elif service is not None and pid == service.main_pid:
        theirs = service.environment()
    for name in {CREDENTIALS, *_names(path)} - os.environ.keys():
        if name in theirs:
            os.environ[name] = theirs[name]


def _is_of_us(pid: int, control: Path) -> bool:
    """Tell by the socket too: who listens and then becomes a setuid program is root, in an environment of his own."""
    try:
        return {User.of_process(pid).uid, control.stat().st_uid} == {os.geteuid()}
    except OSError:
        return False  # it ended just now


def _names(path: Path) -> set[str]:
    """Return the variables that the files of a configuration refer to."""
    try:
        files = (path, *drop_ins(path))
        return {name for file in files for name in _VARIABLE.findall(file.read_text(encoding="utf-8"))}
    except (OSError, UnicodeDecodeError, ConfigError):
        return set()  # which is said when the configuration is read


def _environment(pid: int) -> dict[str, str]:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    pairs = (os.fsdecode(entry).partition("=") for entry in entries if entry)
    return {name: value for name, _, value in pairs}
