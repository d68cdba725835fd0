"""The state folder: whether it can be written, will hold what it is to hold, and who answers there."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from gateway.doctor.facts import Facts
from gateway.doctor.mounts import Mount, mount_of
from gateway.findings import Finding, error, note, warning
from gateway.machine import User
from gateway.settings import Settings

ABOUT = "state folder"
_LEAST_FREE = 100 * 2**20
_LEAST_INODES = 100
_MOST_SOCKET_BYTES = 107
"""Of a Unix socket's path: unix(7)."""
_MEMORY = ("tmpfs", "ramfs", "overlayroot")
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p")
_UNIX_LESS = ("vfat", "exfat", "msdos")


def check(facts: Facts) -> Iterator[Finding]:
    """Look at folder, disk and control socket."""
    if facts.configuration is None:
        return
    settings = facts.configuration.settings
    folder = settings.gateway.state_dir
    yield from _writable(facts, folder)
    yield from _long_path(settings.gateway.control_socket)
    yield from _socket(facts, facts.control or settings.gateway.control_socket)
    existing = _nearest(folder)
    yield from _room(settings, folder, existing)
    yield from _kind(folder, mount_of(existing))
    yield from damaged_disk(mount_of(existing))


def _nearest(folder: Path) -> Path:
    """Return ``folder``, or the nearest around it that is there."""
    return next((each for each in (folder, *folder.absolute().parents) if exists(each)), Path("/"))


def exists(path: Path) -> bool:
    """Tell whether something is there, as far as who asks may see that."""
    try:
        return path.exists()
    except OSError:
        return False


def _writable(facts: Facts, folder: Path) -> Iterator[Finding]:
    existing = _nearest(folder)
    name, shown = facts.user.name, shlex.quote(str(folder))
    if not existing.is_dir():
        text = f"{existing} is no folder"
        yield error("state-no-folder", ABOUT, text, f"mv {shlex.quote(str(existing))} elsewhere, or change state_dir")
    elif os.statvfs(existing).f_flag & os.ST_RDONLY:
        remedy = f"sudo mount -o remount,rw {mount_of(existing).point}; if it came by itself, the disk or card is dying"
        yield error("disk-read-only", ABOUT, f"{folder} is on a disk that is mounted read-only", remedy)
    elif existing != folder and facts.unit is not None and folder in facts.unit.state_folders():
        return  # systemd makes it, for the gateway's user, at the first start
    elif not facts.user.may(existing, os.W_OK | os.X_OK):
        text = f"{folder} can't be {'written' if existing == folder else 'made'} by {name}, as whom the gateway runs"
        remedy = f"sudo install -d -o {name} {shown}; sudo chown -R {name} {shown}"
        yield error("state-not-writable", ABOUT, text, remedy)
    elif foreign := _foreign(facts, folder):
        text = f"{foreign} can't be written by {name}, as whom the gateway runs: another user has run it once"
        yield error("state-file-not-writable", ABOUT, text, f"sudo chown -R {name} {shown}")


def _foreign(facts: Facts, folder: Path) -> Path | None:
    """Return a file of the journal that the gateway's user can't write."""
    try:
        files = sorted(folder.glob("journal.db*"))
        return next((each for each in files if not facts.user.may(each, os.R_OK | os.W_OK)), None)
    except OSError:
        return None


def _long_path(socket: Path) -> Iterator[Finding]:
    length = len(os.fsencode(socket))
    if length > _MOST_SOCKET_BYTES:
        text = f"the control socket's path has {length} bytes, at most {_MOST_SOCKET_BYTES} are possible: {socket}"
        yield error("state-path-long", ABOUT, text, 'choose a shorter one, such as state_dir = "/var/lib/gateway"')


def _socket(facts: Facts, socket: Path) -> Iterator[Finding]:
    folder = shlex.quote(str(socket.parent))
    if facts.is_forbidden:
        text = f"you may not use the control socket {socket}: what the gateway itself says wasn't asked"
        remedy = (
            f"sudo gatewayctl doctor; to be let in: sudo adduser {User.current().name} GROUP, as ls -ld {folder} has it"
        )
        yield warning("control-socket-forbidden", ABOUT, text, remedy)
    elif facts.pid is None and exists(socket):
        text = f"{socket} is left from a gateway that ended without a farewell: a crash, or a power cut"
        yield note("control-socket-stale", ABOUT, text, "nothing: the next start replaces it")


def _room(settings: Settings, folder: Path, existing: Path) -> Iterator[Finding]:
    disk = os.statvfs(existing)
    free, shown = disk.f_bavail * disk.f_frsize, shlex.quote(str(existing))
    wanted = settings.journal.max_size - _size(folder)
    if free < _LEAST_FREE:
        text = f"the disk is nearly full: {_mib(free)} are free"
        yield error("disk-nearly-full", ABOUT, text, f"sudo du -xh --max-depth=2 {shown} shows what takes the space")
    elif wanted > free - _LEAST_FREE:
        text = (
            f"the journal may grow to max_size = {_mib(settings.journal.max_size)}, and the disk has room for "
            f"{_mib(max(0, free - _LEAST_FREE))} more: it will be full one day"
        )
        fits = max(1, (free - _LEAST_FREE + _size(folder)) // 2**20)
        yield warning("journal-larger-than-disk", ABOUT, text, f'[journal] max_size = "{fits}MiB" in gateway.toml')
    if disk.f_files and disk.f_favail < _LEAST_INODES:
        text = f"the disk has room for {disk.f_favail} more files only"
        yield error("disk-no-inodes", ABOUT, text, f"sudo du --inodes -x --max-depth=2 {shown} shows where they are")


def _size(folder: Path) -> int:
    try:
        return sum(each.stat().st_size for each in folder.glob("journal.db*") if ".damaged-" not in each.name)
    except OSError:
        return 0


def _kind(folder: Path, mount: Mount) -> Iterator[Finding]:
    remedy = "choose a folder on a disk of this machine's: [gateway] state_dir in gateway.toml"
    if mount.kind in _MEMORY:
        text = f"{folder} is in memory ({mount.kind} at {mount.point}): all readings are gone at the next boot"
        yield warning("state-in-memory", ABOUT, text, remedy)
    elif mount.kind in _NETWORK:
        text = f"{folder} is on a network disk ({mount.kind} at {mount.point}): the journal can't be kept there safely"
        yield error("state-on-network", ABOUT, text, remedy)
    elif mount.kind in _UNIX_LESS:
        text = f"{folder} is on {mount.kind} ({mount.point}), which knows neither sockets nor owners"
        yield error("state-on-fat", ABOUT, text, remedy)


def damaged_disk(mount: Mount, sys: Path = Path("/sys")) -> Iterator[Finding]:
    """Look at the errors that an ext4 file system has counted (Documentation/ABI/testing/sysfs-fs-ext4)."""
    name = (sys / "dev" / "block" / mount.device).resolve().name
    try:
        count = int((sys / "fs" / "ext4" / name / "errors_count").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return
    if count:
        text = f"the file system at {mount.point} has counted {count} errors: the disk, or the card, may be dying"
        remedy = f"copy what matters; sudo dmesg | grep {name}; sudo touch /forcefsck, reboot, and a new card"
        yield warning("disk-errors", ABOUT, text, remedy)


def _mib(count: int) -> str:
    return f"{count / 2**20:.0f} MiB"
