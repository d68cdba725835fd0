"""Why a port can't be opened, in words and with the remedy."""

import errno
import grp
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo


def why_not_open(url: str, error: Exception) -> str:
    """Return one line for people; looks at the machine, so not for the hub's thread."""
    number = _number(error)
    if "://" in url or number not in _CAUSES:
        return f"{url}: {_plain(error)}"
    return f"{url}: {_CAUSES[number](url)}"


def _plain(error: Exception) -> str:
    number = _number(error)
    if number is not None:
        return os.strerror(number).lower()
    return "is not a serial port" if "Could not configure port" in str(error) else str(error)


def _number(error: BaseException | None) -> int | None:
    # pyserial keeps the number in the exception, or leaves it in the one that it answers
    while error is not None:
        number: int | None = getattr(error, "errno", None)
        if number is not None:
            return number
        error = error.__context__
    return None


def existing_ports() -> str:
    """Return which ports there are, in words."""
    ports = sorted(list_ports.comports())
    if not ports:
        return "there is none: is it plugged in?"
    return "there are: " + ", ".join(map(_named, ports))


def _named(port: ListPortInfo) -> str:
    return port.device if port.description == "n/a" else f"{port.device} ({port.description})"


def group_of(path: str) -> str | None:
    """Return the group that a port belongs to; None if it has no name."""
    try:
        return grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return None


def _group(path: str) -> str:
    group = group_of(path)
    if group is None:
        return "the gateway's user may not open it"
    return f"it is for the group {group}: add the gateway's user to it (sudo usermod -aG {group} USER)"


_CAUSES: Mapping[int | None, Callable[[str], str]] = MappingProxyType(
    {
        errno.ENOENT: lambda _: f"no such port; {existing_ports()}",
        errno.EACCES: lambda path: f"permission denied; {_group(path)}",
        errno.EPERM: lambda path: f"permission denied; {_group(path)}",
        errno.EBUSY: lambda _: "another process has it open",
        errno.EAGAIN: lambda _: "another process has it open",
        errno.ENXIO: lambda _: "the device doesn't answer",
        errno.ENODEV: lambda _: "the device doesn't answer",
        errno.EIO: lambda _: "the device doesn't answer",
    }
)
