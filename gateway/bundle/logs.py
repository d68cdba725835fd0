"""The last lines of the log, from wherever it goes."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

_LINES = 2000
_MOST_BYTES = 2 * 2**20
_TIMEOUT_S = 20.0
_UNIT = "telemetry-gateway"


def last_lines(pid: int | None) -> str:
    """Return the end of the log of the gateway with this process id, or of the service; or why there is none."""
    return _of_file(pid) or _of_systemd() or "No log was found: it goes to a terminal, a pipe, or nobody may read it.\n"


def _of_file(pid: int | None) -> str:
    """Read the file that the gateway's stderr is, if it is one."""
    if pid is None:
        return ""
    try:
        with Path(f"/proc/{pid}/fd/2").open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return ""
            file.seek(max(0, found.st_size - _MOST_BYTES))
            return _end(file.read(_MOST_BYTES))
    except OSError:
        return ""


def _of_systemd() -> str:
    program = shutil.which("journalctl")
    if program is None:
        return ""
    command = [
        program,
        "--unit",
        _UNIT,
        "--lines",
        str(_LINES),
        "--output",
        "short-iso-precise",
        "--no-pager",
        "--quiet",
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603  no text from outside
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return _end(done.stdout[-_MOST_BYTES:])


def _end(data: bytes) -> str:
    return "".join(data.decode(errors="replace").splitlines(keepends=True)[-_LINES:])
