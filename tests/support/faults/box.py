"""A gateway on a machine of one test: its configuration, what runs beside it, and doctor's visit."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.daemon import Daemon
from tests.support.ports import free_port

SIMULATOR = '[[adapters]]\nname = "pretend"\ntype = "simulator"\n'
STRANGER = pwd.getpwnam("nobody")
AS_STRANGER = (
    sys.executable,
    str(Path(__file__).parents[1] / "stranger.py"),
    str(STRANGER.pw_uid),
    str(STRANGER.pw_gid),
)


@dataclass(frozen=True)
class Visit:
    """What a visit came to."""

    code: int
    out: str
    err: str

    @property
    def findings(self) -> list[dict[str, str]]:
        """What doctor found, as ``--json`` has it."""
        found: list[dict[str, str]] = json.loads(self.out)["findings"]
        return found

    def named(self, name: str) -> list[dict[str, str]]:
        """Return the findings of one name."""
        return [finding for finding in self.findings if finding["name"] == name]


class Box:
    """A context manager; what is entered into ``stack`` ends with it. Everybody may look into ``folder``."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="box-"))
        self.folder.chmod(0o755)
        self.config = self.folder / "gateway.toml"
        self.port = free_port()
        self.env: dict[str, str] = {}
        self.command: tuple[str, ...] = (sys.executable, "-c", "from gateway.cli import main; main()")
        self.before: tuple[str, ...] = ()
        """What the program is started by, such as prlimit."""
        self.stranger = False
        """Whether a user without rights asks."""
        self.write()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, sources: str = SIMULATOR, *, gateway: str = "", web: str = "", journal: str = "") -> None:
        """Write gateway.toml."""
        web = web or f"port = {self.port}"
        self.config.write_text(f"[gateway]\n{gateway}\n[web]\n{web}\n[journal]\n{journal}\n{sources}")

    def daemon(self, tables: str = SIMULATOR, **more: Any) -> Daemon:
        """Start a gateway; it is the one that is visited."""
        daemon = self.stack.enter_context(Daemon(self.folder / "d", tables, **more))
        self.config = daemon.config
        return daemon

    def run(self, *words: str | os.PathLike[str], **more: Any) -> "subprocess.Popen[bytes]":
        """Run a program until the end of the box."""
        process = subprocess.Popen([os.fspath(word) for word in words], **more)
        self.stack.enter_context(process)
        self.stack.callback(process.kill)
        return process

    def mount(self, options: str) -> Path:
        """Mount a small disk in memory, and return where."""
        point = self.folder / "disk"
        point.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(point)], check=True)
        self.stack.callback(subprocess.run, ["umount", "-l", str(point)], check=True)
        return point

    def visit(self, *words: str) -> Visit:
        """Run a command of gatewayctl; default: ``doctor --json``."""
        words = words or ("doctor", "--json")
        program = AS_STRANGER if self.stranger else self.command
        command = [*self.before, *program, "--config", str(self.config), *words]
        env = {**_environment(), **self.env}
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=90, check=False
        )
        return Visit(done.returncode, done.stdout, done.stderr)


def _environment() -> dict[str, str]:
    """Return ours without what would change the diagnosis."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "GATEWAY_CONFIG")}
