"""The real daemon as a process, for one test."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from gateway.cli.control import Control
from tests.support.ports import free_port, wait_until


class Daemon:
    """gatewayd on its own port, configuration and state; a context manager.

    Parameters
    ----------
    directory
        Where ``gateway.toml``, state and log go; made if missing.
    tables
        What is added to gateway.toml after ``[gateway]`` and ``[web]``.
    env
        More environment variables.
    command
        What starts it, but for ``--config``.
    """

    def __init__(
        self,
        directory: Path,
        tables: str,
        *,
        env: dict[str, str] | None = None,
        command: Sequence[str] = (sys.executable, "-m", "gateway"),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = directory / "gateway.toml"
        self.socket = directory / "state" / "control.sock"
        self.process: subprocess.Popen[bytes] | None = None
        self._log = directory / "daemon.log"
        self._env = env
        self._command = [*command, "--config", str(self.config)]
        self.configure(tables)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait for the line that says it is ready."""
        ready = self.log.count("ready on http://") if self._log.exists() else 0
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stderr=log, stdout=log, env=self._env)
        wait_until(
            lambda: self._alive() and self.log.count("ready on http://") > ready, "the daemon is ready", timeout_s=30.0
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=20.0)
        self.process = None
        return code

    def configure(self, tables: str, *, name: str = "test") -> None:
        """Write gateway.toml anew, in one stroke; whoever runs goes on as before."""
        text = f'[gateway]\nname = "{name}"\n[web]\nport = {self.port}\n{tables}'
        written = self.config.with_suffix(".new")
        written.write_text(text)
        written.replace(self.config)

    def reload(self) -> dict[str, Any]:
        """Let it read gateway.toml again; return RELOAD."""
        answer: dict[str, Any] = Control(self.socket, "gatewayd").post("/reload")
        return answer

    def kill(self) -> None:
        """End it as a crash would."""
        self.stop(signal.SIGKILL)

    def get(self, path: str) -> Any:
        """Return what the HTTP API answers."""
        with urllib.request.urlopen(self.url + path, timeout=10.0) as answer:
            return json.load(answer)

    def ledger(self) -> dict[str, int]:
        """Return the ledger over all sources, checked: it always adds up."""
        books = self.get("/api/v1/status")["ledger"]
        outcomes = ("stored", "rejected", "duplicate", "ignored", "dropped", "in_flight")
        assert books["received"] == sum(books[outcome] for outcome in outcomes)
        return books

    def source_states(self) -> dict[str, str]:
        """Return the state of each source by name."""
        return {source["name"]: source["state"] for source in self.get("/api/v1/status")["sources"]}

    def wait_up(self, *names: str) -> None:
        """Wait until these sources are up."""
        wait_until(lambda: all(self.source_states().get(name) == "up" for name in names), f"{names} up", timeout_s=20.0)

    def readings(self, device: str, *, after: int = 0) -> list[dict[str, Any]]:
        """Return all readings of a device, page by page."""
        found: list[dict[str, Any]] = []
        following: int | None = after
        while following is not None:
            page = self.get(f"/api/v1/devices/{quote(device, safe='')}/readings?after={following}&limit=10000")
            found += page["readings"]
            following = page["next"]
        return found

    def memory_bytes(self) -> int:
        """Return its resident memory."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) * 1024

    def _alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the daemon ended: {self.log}"
        return True


def mqtt(port: int, *, name: str = "broker", more: str = "", topic: str = "sensors/{device}", qos: int = 1) -> str:
    """Return the table of an MQTT adapter with one route."""
    return (
        f'[[adapters]]\nname = "{name}"\ntype = "mqtt"\nhost = "127.0.0.1"\nport = {port}\n{more}\n'
        f'[[adapters.routes]]\ntopic = "{topic}"\nqos = {qos}\ndecode = "json"\n'
    )


def serial(port: Path, *, name: str = "bench", columns: str = '"temperature", "humidity"') -> str:
    """Return the table of a serial adapter that reads CSV lines."""
    return (
        f'[[adapters]]\nname = "{name}"\ntype = "serial"\nurl = "{port}"\nframing = "line"\ndecode = "csv"\n'
        f'columns = [{columns}]\ndevice = "bench-sensor"\n'
    )
