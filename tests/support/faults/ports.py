"""Serial ports."""

import os
import shutil
import sys
from pathlib import Path

from adapters.serial_port.examine import autosuspend
from tests.support.faults.box import Box
from tests.support.faults.configuration import SERIAL
from tests.support.faults.fault import fault
from tests.support.faults.systemd import systemd
from tests.support.ports import free_port, wait_until
from tests.support.ptys import VirtualPort

HOLD = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print('open', flush=True); sys.stdin.read()"


def serial(url: object) -> str:
    """Return a source on a port."""
    return SERIAL.replace("/dev/ttyUSB0", str(url))


def plugged(box: Box) -> VirtualPort:
    """Return a port that works."""
    port = box.stack.enter_context(VirtualPort(box.folder / "port"))
    box.write(serial(port.link))
    return port


def given(box: Box, group: str, mode: int) -> None:
    """Have a port of root's and this group's, and somebody else who wants to open it."""
    real = plugged(box).link.resolve()
    shutil.chown(real, "root", group)
    real.chmod(mode)
    box.stranger = True


@fault("a port isn't there", "port-missing", "ls -l /dev/serial/by-id", said=["no such port", "there "])
def missing(box: Box) -> None:
    """The path of none."""
    box.write(serial("/dev/ttyUSB77"))


@fault("a port was unplugged", "port-dangling", "plug the sensor in again", said=["points at"])
def dangling(box: Box) -> None:
    """A link, as udev makes it, to a terminal that is gone."""
    link = box.folder / "port"
    link.symlink_to("/dev/pts/99999")
    box.write(serial(link))


@fault(
    "a port is where you may not look",
    "port-unread",
    "sudo gatewayctl doctor",
    said=["may not look into"],
    severity="note",
    how="A folder of root's alone, a service of root's (not systemd), and another user who asks",
    root=True,
)
def hidden(box: Box) -> None:
    (box.folder / "closed").mkdir(mode=0o700)
    box.write(serial(box.folder / "closed" / "port"))
    systemd(box, User="root")
    box.stranger = True


@fault("a port is none", "port-no-terminal", "ls -l /dev/serial/by-id", said=["/dev/null is no serial port"])
def no_terminal(box: Box) -> None:
    """/dev/null."""
    box.write(serial("/dev/null"))


@fault(
    "a port may not be opened, and a group may",
    "port-no-permission",
    "sudo usermod -aG dialout nobody",
    said=["for the group dialout"],
    root=True,
)
def no_permission(box: Box) -> None:
    """A pseudo-terminal of the group dialout's, and a user who isn't in it."""
    given(box, "dialout", 0o660)


@fault(
    "a port may be opened by root alone",
    "port-no-permission",
    "sudo chgrp dialout",
    said=["no group may open it"],
    root=True,
)
def for_root_alone(box: Box) -> None:
    """A pseudo-terminal of root's."""
    given(box, "root", 0o600)


@fault(
    "the service may not open this kind of port",
    "port-not-allowed",
    "DeviceAllow=char-",
    said=["which the service may not open"],
    how="Not systemd: a `systemctl` that answers as it does, with no pseudo-terminals allowed",
)
def not_allowed(box: Box) -> None:
    plugged(box)
    systemd(box, DevicePolicy="closed", DeviceAllow="char-ttyUSB rw")


@fault("another program has a port open", "port-held", "kill ", said=["is open in ", "takes bytes"])
def held(box: Box) -> None:
    """Another process that has the pseudo-terminal open."""
    port = plugged(box)
    process = box.run(sys.executable, "-c", HOLD, port.link, stdin=-1, stdout=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"


@fault("a port is for logging in", "port-held", "sudo systemctl disable --now serial-getty@", said=["agetty"])
def login(box: Box) -> None:
    """A process called agetty, not the program itself, that has the pseudo-terminal open."""
    port = plugged(box)
    program = box.folder / "agetty"
    shutil.copy("/bin/sleep", program)
    with port.link.open("rb", buffering=0) as terminal:
        box.run(program, "60", stdin=terminal)


@fault("another program has locked a port", "port-held", "kill ", said=["/var/lock"], root=True)
def locked(box: Box) -> None:
    """A lock file with the number of a process that lives."""
    name = plugged(box).link.resolve().name
    file = Path(f"/var/lock/LCK..{name}")
    file.write_text(f"{os.getpid():10d}\n")
    box.stack.callback(file.unlink)


@fault(
    "ModemManager talks to new ports",
    "port-taker",
    "sudo systemctl disable --now ModemManager",
    said=["is running"],
    severity="warning",
)
def modem_manager(box: Box) -> None:
    """A process of that name, not the program itself."""
    plugged(box)
    program = box.folder / "ModemManager"
    shutil.copy("/bin/sleep", program)
    process = box.run(program, "60")
    name = Path(f"/proc/{process.pid}/comm")
    wait_until(lambda: name.read_text().strip() == "ModemManager", "the program runs")


@fault("the host of a port doesn't listen", "port-unreachable", "nc -vz 127.0.0.1", said=["connection refused"])
def remote_refused(box: Box) -> None:
    """`socket://` and a free port."""
    box.write(serial(f"socket://127.0.0.1:{free_port()}"))


@fault("the name of a port's host is unknown", "port-host-unknown", "getent hosts", said=["can't be resolved"])
def remote_unknown(box: Box) -> None:
    """`socket://` and a name below `.invalid`."""
    box.write(serial("socket://sensor.invalid:4000"))


@fault(
    "the kernel may put a USB adapter to sleep",
    "port-autosuspend",
    "usbcore.autosuspend=-1",
    said=["to sleep"],
    severity="warning",
)
def sleepy(box: Box) -> object:
    """Not real: a folder that looks like /sys; no USB in the tests."""
    found = Path("/dev/null").stat()
    device = box.folder / "sys" / "usb1"
    (device / "power").mkdir(parents=True)
    (device / "idVendor").write_text("2341\n")
    (device / "power" / "control").write_text("auto\n")
    (device / "power" / "autosuspend_delay_ms").write_text("2000\n")
    terminal = box.folder / "sys" / f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    terminal.mkdir()
    (terminal / "device").symlink_to(device)
    return list(autosuspend(Path("/dev/null"), "source bench", sys=box.folder / "sys"))
