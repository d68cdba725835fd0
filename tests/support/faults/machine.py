"""The machine, the state folder, and the address of the page."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

from gateway.doctor.machine import power
from gateway.doctor.mounts import Mount
from gateway.doctor.state import damaged_disk
from tests.support.faults.box import Box
from tests.support.faults.fault import fault

UNSET = "import time; time.time, time.time_ns = lambda: 1e3, lambda: 10**12; from gateway.cli import main; main()"
LISTEN = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
sys.stdin.read()
"""


@fault("the clock was never set", "clock-not-set", "sudo timedatectl set-ntp true", said=["not set"])
def no_clock(box: Box) -> None:
    """The program by a clock in 1970, not the machine."""
    box.command = (sys.executable, "-c", UNSET)


@fault("too few file descriptors", "descriptors-few", "ulimit -n 8192", said=["may have 200"], severity="warning")
def few_descriptors(box: Box) -> None:
    """A limit, set by prlimit."""
    box.before = ("prlimit", "--nofile=200:200")


@fault("a running gateway has no descriptors left", "descriptors-used-up", "8192", said=["of at most"])
def descriptors_used_up(box: Box) -> None:
    """A running gateway, whose limit is lowered to what it has open."""
    daemon = box.daemon()
    assert daemon.process is not None
    used = len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))
    hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (used + 8, hard))


@fault("the power supply is too weak", "power-too-weak", "official supply", said=["too weak"], severity="warning")
def weak_supply(box: Box) -> object:
    """Not real: a file as a Raspberry Pi's kernel has it."""
    file = box.folder / "get_throttled"
    file.write_text("50005\n")
    return list(power(file))


@fault("the disk is nearly full", "disk-nearly-full", "sudo du -xh", said=["nearly full"], root=True)
def full_disk(box: Box) -> None:
    """A small disk in memory."""
    disk = box.mount("size=20m")
    box.write(gateway=f'state_dir = "{disk}/state"')


@fault("the disk takes no more files", "disk-no-inodes", "sudo du --inodes", said=["more files only"], root=True)
def no_inodes(box: Box) -> None:
    """A small disk in memory with few inodes."""
    disk = box.mount("size=300m,nr_inodes=50")
    box.write(gateway=f'state_dir = "{disk}/state"')


@fault("the disk is read-only", "disk-read-only", "remount,rw", said=["mounted read-only"], root=True)
def read_only_disk(box: Box) -> None:
    """A disk in memory, mounted anew."""
    disk = box.mount("size=300m")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    box.write(gateway=f'state_dir = "{disk}/state"')


@fault("the state is kept in memory", "state-in-memory", "state_dir", said=["next boot"], severity="warning", root=True)
def in_memory(box: Box) -> None:
    """A disk in memory."""
    disk = box.mount("size=300m")
    box.write(gateway=f'state_dir = "{disk}/state"', journal='max_size = "10MiB"')


@fault(
    "the journal may outgrow the disk",
    "journal-larger-than-disk",
    "[journal] max_size = ",
    said=["max_size = 1024 MiB"],
    severity="warning",
    root=True,
)
def too_large(box: Box) -> None:
    """A disk of 300 MiB, and the default `max_size`."""
    disk = box.mount("size=300m")
    box.write(gateway=f'state_dir = "{disk}/state"')


@fault(
    "the state folder can't be written",
    "state-not-writable",
    "sudo install -d -o nobody",
    said=["by nobody"],
    root=True,
)
def not_writable(box: Box) -> None:
    """A folder of root's, and another user who asks."""
    (box.folder / "state").mkdir()
    box.stranger = True


@fault(
    "the gateway was run as root once",
    "state-file-not-writable",
    "sudo chown -R nobody",
    said=["another user"],
    root=True,
)
def files_of_root(box: Box) -> None:
    """A folder that may be written, with a journal of root's."""
    state = box.folder / "state"
    state.mkdir()
    state.chmod(0o777)
    (state / "journal.db").touch(mode=0o600)
    box.stranger = True


@fault("the state folder is a file", "state-no-folder", "change state_dir", said=["is no folder"])
def no_folder(box: Box) -> None:
    """A file of that name."""
    (box.folder / "state").touch()


@fault("the state folder's path is too long", "state-path-long", "a shorter one", said=["at most 107"])
def long_path(box: Box) -> None:
    """A path of 150 letters."""
    box.write(gateway=f'state_dir = "{"s" * 150}"')


@fault(
    "the gateway ended without a farewell",
    "control-socket-stale",
    "the next start replaces it",
    said=["control.sock"],
    severity="note",
)
def killed(box: Box) -> None:
    """A gateway, and `kill -9`."""
    box.daemon().stop(signal.SIGKILL)


@fault(
    "you may not ask the gateway",
    "control-socket-forbidden",
    "sudo gatewayctl doctor",
    said=["you may not use"],
    severity="warning",
    root=True,
)
def not_to_be_asked(box: Box) -> None:
    """A gateway of root's, and another user who asks."""
    daemon = box.daemon()
    daemon.config.parent.chmod(0o755)
    daemon.socket.parent.chmod(0o755)
    box.stranger = True


@fault(
    "another program has the page's port", "address-in-use", "another [web] port", said=["is in use by", "(process "]
)
def port_taken(box: Box) -> None:
    """A process that listens there."""
    process = box.run(sys.executable, "-c", LISTEN, str(box.port), stdin=-1, stdout=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"


@fault("the page's port is for root alone", "port-privileged", "port = 8080", said=["port 80 is for root"], root=True)
def privileged(box: Box) -> None:
    """Port 80, and a user who isn't root."""
    box.write(web="port = 80")
    box.stranger = True


@fault("the page's address isn't this machine's", "address-impossible", "ip address", said=["can't be listened on"])
def no_such_address(box: Box) -> None:
    """Port 8080 of `::1` in a network without IPv6."""
    box.write(web=f'host = "::1"\nport = {box.port}')
    box.before = ("unshare", "--net")


@fault("a card is dying", "disk-errors", "sudo dmesg | grep mmcblk0p2", said=["counted 7 errors"], severity="warning")
def dying_card(box: Box) -> object:
    """Not real: a folder that looks like /sys."""
    (box.folder / "dev" / "block").mkdir(parents=True)
    (box.folder / "devices" / "mmcblk0p2").mkdir(parents=True)
    (box.folder / "dev" / "block" / "179:2").symlink_to(box.folder / "devices" / "mmcblk0p2")
    counted = box.folder / "fs" / "ext4" / "mmcblk0p2"
    counted.mkdir(parents=True)
    (counted / "errors_count").write_text("7\n")
    return list(damaged_disk(Mount(box.folder, "ext4", "179:2"), sys=box.folder))
