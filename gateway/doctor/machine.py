"""The machine itself: clock, file descriptors, power."""

import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway.doctor.facts import Facts
from gateway.findings import Finding, error, warning
from gateway.runtime import is_set, now

ABOUT = "machine"
_A_CLIENT, _OTHERS = 2, 100
"""Descriptors: a session of a browser takes two while it upgrades; journal, sources and logs take the others."""
_SPARE = 16
_TIMEOUT_S = 3.0
_LIMIT = re.compile(r"Max open files\s+(\d+)")
THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""Of a Raspberry Pi; bits: https://www.raspberrypi.com/documentation/computers/os.html#get_throttled."""
_UNDER_VOLTAGE = 0x1_0001


def check(facts: Facts) -> Iterator[Finding]:
    """Look at clock, descriptors and power."""
    yield from _clock()
    yield from _descriptors(facts)
    yield from power(THROTTLED)


def _clock() -> Iterator[Finding]:
    remedy = "sudo timedatectl set-ntp true; without internet: sudo date -s '2026-01-31 12:00', or an RTC module"
    if not is_set(now()):
        yield error("clock-not-set", ABOUT, "the clock is not set: it shows a time before 2025", remedy)
    elif _synchronised() == "no":
        yield warning("clock-not-synchronised", ABOUT, "the clock is set, but follows no time server", remedy)


def _synchronised() -> str:
    program = shutil.which("timedatectl")
    if program is None:
        return ""
    command = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603  no text from outside
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _descriptors(facts: Facts) -> Iterator[Finding]:
    limit, used = _of_process(facts.pid) if facts.pid else (_would_be(facts), 0)
    wanted = _wanted(facts)
    if used and limit - used < _SPARE:
        text = f"the gateway has {used} files and connections open, of at most {limit}"
        yield error("descriptors-used-up", ABOUT, text, _more_descriptors(facts))
    elif limit < wanted:
        text = f"the gateway may have {limit} files and connections open, and wants {wanted} for max_clients"
        yield warning("descriptors-few", ABOUT, text, _more_descriptors(facts))


def _wanted(facts: Facts) -> int:
    """Return how many the gateway makes room for, if it may: its limit goes up to the hard one by itself."""
    clients = facts.configuration.settings.web.max_clients if facts.configuration else 0
    return _A_CLIENT * clients + _OTHERS


def _would_be(facts: Facts) -> int:
    of_unit = facts.unit.properties.get("LimitNOFILE", "") if facts.unit else ""
    if of_unit.isdecimal():
        return int(of_unit)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def _of_process(pid: int) -> tuple[int, int]:
    """Return how many a process may have, and how many it has as far as that can be seen."""
    try:
        match = _LIMIT.search(Path(f"/proc/{pid}/limits").read_text(encoding="utf-8"))
        limit = int(match[1]) if match else sys.maxsize
    except OSError:
        return sys.maxsize, 0
    try:
        return limit, len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return limit, 0


def _more_descriptors(facts: Facts) -> str:
    if facts.unit is not None:
        return "sudo systemctl edit telemetry-gateway, add [Service] LimitNOFILE=8192, then restart it"
    return "ulimit -n 8192, then start the gateway again"


def power(throttled: Path) -> Iterator[Finding]:
    """Look at what a Raspberry Pi says of its power supply; ``throttled`` is absent on other machines."""
    try:
        bits = int(throttled.read_text(encoding="ascii").strip(), 16)
    except (OSError, ValueError):
        return
    if bits & _UNDER_VOLTAGE:
        text = "the power supply was too weak since the boot: USB ports drop out, and SD cards get damaged, by that"
        yield warning("power-too-weak", ABOUT, text, "use the official supply, and a short, thick cable")
