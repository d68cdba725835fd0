"""The installed service in a ``Machine``."""

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.machine import Machine
from tests.support.ports import wait_until

NAME = "telemetry-gateway"
CONFIG = f"etc/{NAME}/gateway.toml"
_INJECT = """
call (int)PyGILState_Ensure()
call (int)PyRun_SimpleString("exec(bytes.fromhex('{code}').decode())")
call (void)PyGILState_Release($1)
"""


class Service:
    """What one does with the service, from outside of it."""

    def __init__(self, machine: Machine, port: int) -> None:
        self.machine = machine
        self.url = f"http://127.0.0.1:{port}"
        self.config = machine.root / CONFIG
        self._shipped = self.config.read_text()
        self._port = port

    def shipped(self) -> str:
        """Return the configuration as it was installed, but for the port."""
        assert "#port = 8080\n" in self._shipped
        return self._shipped.replace("#port = 8080\n", f"port = {self._port}\n")

    def show(self, key: str) -> str:
        """Return a property of the unit."""
        return self.machine.run(f"systemctl show -P {key} {NAME}")

    def control(self, verb: str, *, check: bool = True) -> str:
        """Run ``systemctl VERB`` for it."""
        return self.machine.run(f"systemctl {verb} {NAME}", check=check)

    def pid(self) -> int:
        """Return its process, as the machine counts."""
        return int(self.show("MainPID"))

    def log(self) -> str:
        """Return what the machine's journal has of it, since the machine booted."""
        return self.machine.run(f"journalctl -b -o cat --no-pager -u {NAME}")

    def is_ready(self) -> bool:
        """Tell whether systemd takes it for started."""
        return self.control("is-active", check=False) == "active"

    def wait_ready(self) -> None:
        """Wait until it is."""
        wait_until(self.is_ready, "the service is active", timeout_s=30.0)

    def wait_other_than(self, pid: int) -> None:
        """Wait until it runs as another process than ``pid``."""
        wait_until(lambda: self.pid() not in (0, pid) and self.is_ready(), "it was restarted", timeout_s=60.0)

    def get(self, path: str) -> Any:
        """Return what its API answers."""
        with urllib.request.urlopen(self.url + path, timeout=10.0) as answer:
            return json.load(answer)

    def source_states(self) -> dict[str, str]:
        """Return the state of each source by name."""
        return {source["name"]: source["state"] for source in self.get("/api/v1/status")["sources"]}

    def wait_source(self, name: str, state: str = "up") -> None:
        """Wait until a source is in ``state``."""
        wait_until(lambda: self._is_source(name, state), f"{name} {state}", timeout_s=30.0)

    def _is_source(self, name: str, state: str) -> bool:
        try:
            return self.source_states().get(name) == state
        except OSError:  # it is being restarted
            return False

    def readings(self, device: str) -> list[dict[str, Any]]:
        """Return its first 10,000 readings of ``device``; none if it never heard of it."""
        if device not in {known["id"] for known in self.get("/api/v1/devices")["devices"]}:
            return []
        found: list[dict[str, Any]] = self.get(f"/api/v1/devices/{device}/readings?limit=10000")["readings"]
        return found

    def inject(self, code: str, directory: Path) -> None:
        """Run Python in its process, by a debugger: there is no door for that in the program."""
        script = directory / "inject.gdb"
        script.write_text(_INJECT.format(code=code.encode().hex()))
        number = str(self.machine.outside(self.pid()))
        command = ["gdb", "-nx", "-batch", "-p", number, "-x", str(script)]
        done = subprocess.run(command, check=True, timeout=60.0, capture_output=True, text=True)
        assert "$2 = 0" in done.stdout, done.stdout + done.stderr
