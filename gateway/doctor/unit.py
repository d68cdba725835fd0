"""The gateway's systemd unit, as ``systemctl show`` has it."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.settings.references import CREDENTIALS

NAME = "telemetry-gateway.service"
PACKAGED = (Path("/usr/lib/systemd/system"), Path("/lib/systemd/system"))
"""Where packages put units."""
_PROPERTIES = (
    *(
        "LoadState",
        "ActiveState",
        "SubState",
        "NRestarts",
        "UnitFileState",
        "FragmentPath",
        "NeedDaemonReload",
        "Type",
        "ExecStart",
    ),
    *("ExecReload", "ProtectHome", "ProtectSystem", "ReadWritePaths", "StateDirectory", "PrivateTmp"),
    *("DevicePolicy", "DeviceAllow", "Environment", "EnvironmentFiles"),
    *("User", "SupplementaryGroups", "DynamicUser", "MainPID", "Result", "ExecMainStatus", "LimitNOFILE"),
)
_TIMEOUT_S = 3.0
_GIVEN = Path("/run/credentials") / NAME
"""Where systemd lays its credentials; root alone can make folders there."""
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Unit:
    """What systemd knows of the unit: its properties under systemd's own names."""

    properties: Mapping[str, str]

    @property
    def is_active(self) -> bool:
        """Whether it runs."""
        return self.properties.get("ActiveState") in ("active", "reloading")

    @property
    def has_failed(self) -> bool:
        """Whether systemd has given it up."""
        return self.properties.get("ActiveState") == "failed"

    @property
    def is_enabled(self) -> bool:
        """Whether it starts at boot."""
        return self.properties.get("UnitFileState") in ("enabled", "enabled-runtime", "static", "generated")

    @property
    def file(self) -> Path:
        """Where its text is."""
        return Path(self.properties.get("FragmentPath", ""))

    @property
    def command(self) -> str:
        """What it starts: the line of ``ExecStart``."""
        _, _, rest = self.properties.get("ExecStart", "").partition("argv[]=")
        return rest.partition(" ;")[0].strip()

    @property
    def main_pid(self) -> int | None:
        """Its main process; None: it doesn't run."""
        return int(self.properties.get("MainPID", "0")) or None

    def environment(self) -> dict[str, str]:
        """Return what it was started with, as far as its unit says that: what /proc has, it could have written over."""
        pairs = _words(self.properties.get("Environment", ""))
        for file in self.properties.get("EnvironmentFiles", "").split(" ; "):
            pairs += _assignments(Path(file.rpartition(" (")[0]))
        if os.access(_GIVEN, os.R_OK | os.X_OK):
            pairs.append(f"{CREDENTIALS}={_GIVEN}")
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}

    def state_folders(self) -> list[Path]:
        """Return the folders that systemd makes for it (``StateDirectory``)."""
        return [Path("/var/lib") / name for name in self.properties.get("StateDirectory", "").split()]

    def devices(self) -> frozenset[str] | None:
        """Return the devices that it may open, as ``DeviceAllow`` names them; None: all that the user may."""
        if self.properties.get("DevicePolicy", "auto") != "closed":
            return None
        allowed = self.properties.get("DeviceAllow", "").split(" ; ")
        return frozenset(each.split()[0] for each in allowed if each.strip())

    def hidden(self, packaged: Sequence[Path] = PACKAGED) -> Path | None:
        """Return the packaged text that ``file`` hides; None where it hides none."""
        candidates = (folder / NAME for folder in packaged)
        return next((each for each in candidates if each.is_file() and not _same(each, self.file)), None)


def ask() -> Unit | None:
    """Return the unit; None where there is no systemd, or no such unit."""
    program = shutil.which("systemctl")
    if program is None:
        return None
    command = [program, "show", NAME, f"--property={','.join(_PROPERTIES)}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603  no text from outside
    except (OSError, subprocess.TimeoutExpired):
        return None
    properties: dict[str, str] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        properties[key] = f"{properties[key]} ; {value}" if key in properties else value  # a list has a line each
    return Unit(properties) if done.returncode == 0 and properties.get("LoadState") == "loaded" else None


def _assignments(file: Path) -> Iterator[str]:
    """Yield what an ``EnvironmentFile`` sets (systemd.exec(5)), one to a line; nothing where it can't be read."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        name, is_one, value = line.strip().partition("=")
        if is_one and not name.startswith(("#", ";")):
            yield f"{name.strip()}={_value(value.strip())}"


def _value(text: str) -> str:
    """Return a value as systemd reads it: quotes are some only at its beginning, and blanks stay."""
    return "".join(_words(text)) if text.startswith(("'", '"')) else re.sub(r"\\(.)", r"\1", text)


def _words(text: str) -> list[str]:
    """Return words as a shell would cut them, and where a quote has no end the text as it is."""
    try:
        return shlex.split(_QUOTED.sub(_without_escapes, text))
    except ValueError:
        return [text]


def _without_escapes(quoted: re.Match[str]) -> str:
    r"""Take the backslash from ``\$`` and ``\```, which ``shlex`` leaves there: in passwords systemd shows these so."""
    return re.sub(r"\\(.)", lambda escaped: escaped[1] if escaped[1] in "$`" else escaped[0], quoted[0])


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
