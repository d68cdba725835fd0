"""What is wrong with a port, found without opening it: an Arduino starts anew when its port is opened."""

import os
import shlex
import socket
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

from adapters.serial_port.config import SerialConfig
from adapters.serial_port.words import existing_ports, group_of
from gateway.findings import Finding, Situation, error, note, warning
from gateway.machine import Process, called, holders

BY_ID = Path("/dev/serial/by-id")
SYS = Path("/sys/dev/char")
_CONSOLES = Path("/proc/consoles")
_PTS = range(136, 144)
"""Major numbers of pseudo-terminals: Linux, Documentation/admin-guide/devices.txt."""
_CONNECT_S = 4.0
_TAKERS = {
    "ModemManager": "talks to new ports in search of a modem, in the sensor's first seconds",
    "brltty": "takes USB adapters for braille displays",
}
_BUILT_IN = frozenset({"ttyS", "ttyAMA"})
"""Kinds of ports that these leave alone."""
_USB_DEVICE_LEVELS = 4
"""A terminal is so many folders below its USB device at most."""


def examine(config: SerialConfig, situation: Situation) -> Iterator[Finding]:
    """Yield what is wrong with the port, or the URL, of a source."""
    about = f"source {config.name}"
    if "://" in config.url:
        if not situation.connected:
            yield from _remote(config.url, about)
        return
    try:
        yield from _local(Path(config.url), situation, about)
    except PermissionError as failure:
        text = f"{config.url} is in a folder that you may not look into: {failure.filename}"
        yield note("port-unread", about, text, "sudo gatewayctl doctor")


def _local(path: Path, situation: Situation, about: str) -> Iterator[Finding]:
    if not path.exists():
        yield _missing(path, about)
        return
    if not _is_terminal(path):
        text = f"{path} is no serial port; {existing_ports()}"
        yield error("port-no-terminal", about, text, "url in gateway.toml: one of ls -l /dev/serial/by-id")
        return
    yield from _permission(path, situation, about)
    yield from _allowed(path, situation, about)
    yield from _held(path, situation, about)
    yield from _takers(path, about)
    yield from _console(path, about)
    yield from _unstable(path, about)
    yield from autosuspend(path, about)


def _missing(path: Path, about: str) -> Finding:
    if path.is_symlink():
        text = f"{path} points at {path.readlink()}, which isn't there; {existing_ports()}"
        return error(
            "port-dangling", about, text, "plug the sensor in again; ls -l /dev/serial/by-id; sudo dmesg | tail"
        )
    remedy = "plug it in and look: sudo dmesg | tail; then url in gateway.toml: one of ls -l /dev/serial/by-id"
    return error("port-missing", about, f"{path}: no such port; {existing_ports()}", remedy)


def _is_terminal(path: Path) -> bool:
    found = path.stat()
    if not stat.S_ISCHR(found.st_mode):
        return False
    kind = SYS / _number(found) / "subsystem"
    return os.major(found.st_rdev) in _PTS or kind.resolve().name == "tty"


def _number(found: os.stat_result) -> str:
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"


def _permission(path: Path, situation: Situation, about: str) -> Iterator[Finding]:
    if situation.connected or situation.user.may(path, os.R_OK | os.W_OK):
        return
    name, group = situation.user.name, group_of(str(path))
    text = f"{path} may not be opened by {name}, as whom the gateway runs"
    if group and group != "root" and path.stat().st_mode & 0o060 == 0o060:
        remedy = f"sudo usermod -aG {group} {name}; then start the gateway again (log in anew, if you start it)"
        yield error("port-no-permission", about, f"{text}: it is for the group {group}", remedy)
    else:
        remedy = f"sudo chgrp dialout {path}; sudo chmod 660 {path}; a udev rule does so for good"
        yield error("port-no-permission", about, f"{text}: no group may open it", remedy)


def _allowed(path: Path, situation: Situation, about: str) -> Iterator[Finding]:
    """See whether the service may open this kind of device, which its user may."""
    kinds, patterns = kinds_of(os.major(path.stat().st_rdev)), situation.devices
    if patterns is None or situation.connected or not kinds or str(path.resolve()) in patterns:
        return
    if not any(fnmatch(f"char-{kind}", pattern) for kind in kinds for pattern in patterns):
        text = f"{path} is a device of the kind {kinds[-1]}, which the service may not open, whatever its user may"
        remedy = f"sudo systemctl edit telemetry-gateway: [Service] DeviceAllow=char-{kinds[-1]} rw; then restart it"
        yield error("port-not-allowed", about, text, remedy)


def kinds_of(major: int) -> list[str]:
    """Return what a major number of character devices is called; systemd allows all of it by any (proc(5), devices)."""
    lines = _read(Path("/proc/devices")).partition("Block devices:")[0].splitlines()
    return [line.split()[1] for line in lines if line.split()[:1] == [str(major)]]


def _held(path: Path, situation: Situation, about: str) -> Iterator[Finding]:
    others = [each for each in holders(path) if each.pid != situation.pid]
    locked = _lock_file(path)
    if others:
        names = ", ".join(map(str, others))
        remedy = f"end it: kill {others[0].pid}, or close what it belongs to (a serial monitor, screen)"
        if "getty" in others[0].command:
            remedy = f"sudo systemctl disable --now serial-getty@{path.resolve().name}, which lets people log in there"
        text = f"{path} is open in {names}, which takes bytes that are meant for the gateway"
        yield error("port-held", about, text, remedy)
    elif locked is not None and locked.pid != situation.pid:
        remedy = f"end it: kill {locked.pid}"
        yield error("port-held", about, f"{path} is locked by {locked}, by a file in /var/lock", remedy)


def _lock_file(path: Path) -> Process | None:
    """Return who has said by a lock file that the port is in use: Filesystem Hierarchy Standard, 5.9."""
    try:
        pid = int(Path(f"/var/lock/LCK..{path.resolve().name}").read_text(encoding="ascii"))
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return Process(pid, "a program")


def _takers(path: Path, about: str) -> Iterator[Finding]:
    built_in = not _BUILT_IN.isdisjoint(kinds_of(os.major(path.stat().st_rdev)))
    for name, what in _TAKERS.items():
        if not built_in and called(name):
            remedy = f"sudo systemctl disable --now {name}, unless you need it"
            yield warning("port-taker", about, f"{name} is running, which {what}: {path} may be next", remedy)


def _console(path: Path, about: str) -> Iterator[Finding]:
    try:
        names = [line.split()[0] for line in _CONSOLES.read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        return
    if path.resolve().name in names:
        text = f"{path} is the machine's console: its messages mix with the sensor's"
        remedy = "take console=… out of /boot/firmware/cmdline.txt (raspi-config: Interface, Serial Port), and reboot"
        yield error("port-console", about, text, remedy)


def _unstable(path: Path, about: str) -> Iterator[Finding]:
    stable = next((each for each in _links() if each.resolve() == path), None)
    if stable is not None:
        text = f"{path} may be another sensor after the next boot: numbers go by the order of plugging in"
        yield note("port-not-by-id", about, text, f"url = {shlex.quote(str(stable))} in gateway.toml")


def _links() -> list[Path]:
    try:
        return sorted(BY_ID.iterdir())
    except OSError:
        return []


def autosuspend(path: Path, about: str, sys: Path = SYS) -> Iterator[Finding]:
    """Yield whether the kernel may put the USB device of ``path`` to sleep (Documentation/driver-api/usb)."""
    device = (sys / _number(path.stat()) / "device").resolve()
    for folder in (device, *device.parents)[:_USB_DEVICE_LEVELS]:
        power = folder / "power"
        if (folder / "idVendor").exists() and _read(power / "control") == "auto":
            if not _read(power / "autosuspend_delay_ms").startswith("-"):
                text = f"the kernel may put the USB device of {path} to sleep when it is silent; some don't wake up"
                remedy = f"echo on | sudo tee {power / 'control'}; a udev rule, or usbcore.autosuspend=-1, for good"
                yield warning("port-autosuspend", about, text, remedy)
            return


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _remote(url: str, about: str) -> Iterator[Finding]:
    """See whether a host of ``socket://`` or ``rfc2217://`` takes connections."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        return
    where = f"{parts.hostname}:{parts.port}"
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=_CONNECT_S).close()
    except socket.gaierror as failure:
        text = f"the name {parts.hostname} can't be resolved: {failure.strerror}"
        yield error("port-host-unknown", about, text, f"getent hosts {parts.hostname}; or write its address into url")
    except OSError as failure:
        cause = f"no answer within {_CONNECT_S:g} s" if isinstance(failure, TimeoutError) else str(failure.strerror)
        remedy = f"is it on, and does it serve one client only? nc -vz {parts.hostname} {parts.port}"
        yield error("port-unreachable", about, f"{where} can't be connected to: {cause.lower()}", remedy)
