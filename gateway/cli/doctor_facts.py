"""What doctor starts from: the configuration, the running gateway, its user, its unit."""

import socket
import struct
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from gateway.cli.borrowing import borrow
from gateway.cli.control import Control, NotRunning, Refused
from gateway.cli.options import Options
from gateway.cli.shapes import Status
from gateway.configuration import Configuration, load
from gateway.doctor import Facts, Running, SourceState, unit
from gateway.errors import ConfigError, ConfigProblem
from gateway.machine import User
from gateway.settings import control_socket

_PATIENCE_S = 2.0
_CREDENTIALS = struct.Struct("3i")
"""Of SO_PEERCRED: process, user, group (unix(7))."""


def gather(options: Options) -> Facts:
    """Ask for everything; what can't be had is left out, and never raised."""
    path, missing = _path(options)
    control = options.socket or _control_socket(path)
    pid, is_forbidden = _peer(control) if control is not None else (None, False)
    service = unit.ask()
    if path is not None and pid is not None and control is not None:
        borrow(path, pid, control, service)
    configuration, problems = _configuration(path) if path is not None else (None, missing)
    running, silence = _answer(control) if pid is not None and control is not None else (None, "")
    return Facts(
        path=path,
        configuration=configuration,
        problems=problems,
        version=version("telemetry-gateway"),
        user=_user(pid, service, control if is_forbidden else None),
        control=control,
        pid=pid,
        running=running,
        silence=silence,
        is_forbidden=is_forbidden,
        unit=service,
    )


def _path(options: Options) -> tuple[Path | None, Sequence[ConfigProblem]]:
    try:
        return options.config_file(), ()
    except ConfigError as error:
        return None, error.problems


def _configuration(path: Path) -> tuple[Configuration | None, Sequence[ConfigProblem]]:
    try:
        return load(path, elsewhere=True), ()
    except ConfigError as error:
        return None, error.problems


def _control_socket(path: Path | None) -> Path | None:
    try:
        return None if path is None else control_socket(path)
    except ConfigError:
        return None


def _peer(path: Path) -> tuple[int | None, bool]:
    """Return the process behind a Unix socket, if there is one, and whether it may not be asked."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE_S)
        try:
            connection.connect(str(path))
        except PermissionError:
            return None, True
        except OSError:
            return None, False
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, _, _ = _CREDENTIALS.unpack(data)
        return int(pid), False


def _answer(path: Path) -> tuple[Running | None, str]:
    """Return what the gateway says of itself, or why it doesn't."""
    try:
        return _described(Control(path, "gatewayd").get("/status")), ""
    except (NotRunning, Refused) as silence:
        return None, silence.message


def _described(status: Status) -> Running:
    sources = {
        source["name"]: SourceState(
            source["state"],
            source["reason"],
            source.get("skew_s"),
            time.time() - source["since"],
            received=source["ledger"]["received"],
            stored=source["ledger"]["stored"] + source["ledger"]["duplicate"],
            rejected=source["ledger"]["rejected"],
        )
        for source in status["sources"]
    }
    return Running(status["gateway"]["version"], tuple(status["problems"]), sources)


def _user(pid: int | None, service: unit.Unit | None, closed: Path | None) -> User:
    """Return as whom the gateway runs, or else as whom the service, or who asks, would run it.

    ``closed`` is a control socket that may not be asked: the owner of its folder is whom we look for.
    """
    try:
        if pid is not None:
            return User.of_process(pid)
        if closed is not None:
            return User.named(closed.parent.owner()) or User.current()
    except (OSError, KeyError):
        pass  # it ended just now; or its folder is of nobody whom this machine knows
    named = service.properties.get("User", "") if service else ""
    if service is None or not named or not (service.is_active or service.is_enabled or service.has_failed):
        return User.current()
    groups = service.properties.get("SupplementaryGroups", "").split()
    return User.named(named, groups) or User.current()
