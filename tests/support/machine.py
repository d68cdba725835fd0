"""A small Debian with a real systemd, booted by systemd-nspawn; it shares this machine's network."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.ports import wait_until

INCLUDED = ("systemd", "systemd-sysv", "dbus", "python3", "mosquitto")
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "telemetry-gateway"
_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "DEBIAN_FRONTEND=noninteractive",
)
_BOOT_S = 60.0
_BOOT_AGAIN = 133
"""How nspawn ends with ``--keep-unit`` when its machine reboots: who started it is to do so again."""


def base() -> Path:
    """Return a Debian 12 that never ran, with ``INCLUDED``; made once, which takes a minute or two."""
    made = _CACHE / f"debian-12-{'-'.join(INCLUDED)}"
    if not made.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        draft = made.with_suffix(f".{os.getpid()}")
        include = f"--include={','.join(INCLUDED)}"
        command = ["debootstrap", "--variant=minbase", include, "bookworm", str(draft), *_mirror()]
        try:
            subprocess.run(command, check=True, timeout=600.0, stdout=subprocess.DEVNULL)
            draft.rename(made)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return made


def _mirror() -> list[str]:
    """Return from where this machine takes its own packages, if it is a Debian 12."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)", "Created-By: Packages"]
    targets = subprocess.run(command, check=True, timeout=60.0, capture_output=True, text=True).stdout
    return [line.split()[0] for line in targets.splitlines() if line.split()[1:] == ["bookworm", "main"]][:1]


class Machine:
    """A copy of ``base`` that runs; a context manager. Commands are run in it as root.

    Parameters
    ----------
    directory
        Where its files go; made if missing.
    """

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self._log = directory / "nspawn.log"
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", str(base()), str(self.root)], check=True, timeout=120.0)

    def __enter__(self) -> Self:
        self._boot()
        return self

    def _boot(self) -> None:
        options = ("--register=no", "--keep-unit", "--console=passive", "--link-journal=no", "--resolv-conf=off")
        command = ["systemd-nspawn", "-q", "-D", str(self.root), "--boot", *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._is_booted, "it has booted", timeout_s=_BOOT_S)

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=_BOOT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10.0)
        shutil.rmtree(self.root, ignore_errors=True)

    def reboot(self) -> None:
        """Let its systemd end everything and start anew."""
        assert self._process is not None
        self.run("systemctl reboot", check=False)
        assert self._process.wait(timeout=_BOOT_S) == _BOOT_AGAIN
        self._boot()

    def run(self, command: str | Sequence[str], *, check: bool = True, timeout_s: float = 120.0) -> str:
        """Run ``command``, and return what it says."""
        done = subprocess.run(
            self.command(command),
            check=False,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}: {done.stdout}"
        return done.stdout.strip()

    def command(self, command: str | Sequence[str]) -> list[str]:
        """Return ``command`` as it is run from outside."""
        words = shlex.split(command) if isinstance(command, str) else command
        spaces = ("-m", "-u", "-i", "-p", "-C")
        return ["nsenter", "-t", str(self._init()), *spaces, "--", "env", "-i", *_ENVIRONMENT, *words]

    def files(self) -> set[str]:
        """Return the paths of all that is on its disk."""
        command = ["find", ".", "-xdev", "-print"]
        found = subprocess.run(command, cwd=self.root, check=True, timeout=60.0, capture_output=True, text=True)
        return set(found.stdout.splitlines())

    def outside(self, pid: int) -> int:
        """Return what this machine calls the process that has number ``pid`` in there."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                numbers = next(line for line in status.read_text().splitlines() if line.startswith("NSpid:")).split()[
                    1:
                ]
            except (OSError, StopIteration):  # it has just ended
                continue
            if numbers[1:] == [str(pid)] and self._is_inside(int(numbers[0])):
                return int(numbers[0])
        raise AssertionError(f"there is no process {pid} in the machine")

    def _is_inside(self, pid: int) -> bool:
        init = self._init()
        return Path(f"/proc/{pid}/ns/pid").readlink() == Path(f"/proc/{init}/ns/pid").readlink()

    def _init(self) -> int | None:
        """Return the process that is its systemd; None: there is none now."""
        assert self._process is not None
        assert self._process.poll() is None, f"systemd-nspawn ended: {self._log.read_text(errors='replace')}"
        number = self._process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        return int(children[0]) if children else None

    def _is_booted(self) -> bool:
        state = self.run("systemctl is-system-running", check=False) if self._init() else ""
        return state in {"running", "degraded"}
