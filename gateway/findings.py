"""What ``gatewayctl doctor`` finds: things that are wrong with this box, each with its remedy."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.machine import User


class Severity(StrEnum):
    """How much it matters."""

    ERROR = "error"
    """Something doesn't work, or won't once the gateway starts."""
    WARNING = "warning"
    """All works now; something will be lost, or will end, one day."""
    NOTE = "note"
    """Nothing is wrong; people in search of a reason should know it. No finding, to the exit status."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, in the words its reader needs."""

    name: str
    """Of this kind of finding, for programs and docs/doctor.md: ``port-missing``; it never changes."""
    severity: Severity
    about: str
    """What it is about: ``journal``, ``source bench``."""
    text: str
    """What is wrong: one line."""
    remedy: str
    """What to do; a command to type where there is one."""


def error(name: str, about: str, text: str, remedy: str) -> Finding:
    """Return a finding that something doesn't work."""
    return Finding(name, Severity.ERROR, about, text, remedy)


def warning(name: str, about: str, text: str, remedy: str) -> Finding:
    """Return a finding that something will go wrong one day."""
    return Finding(name, Severity.WARNING, about, text, remedy)


def note(name: str, about: str, text: str, remedy: str) -> Finding:
    """Return what is good to know."""
    return Finding(name, Severity.NOTE, about, text, remedy)


@dataclass(frozen=True, slots=True)
class Situation:
    """What doctor knows of the gateway that a source belongs to, running or not."""

    user: User
    """As whom the gateway runs, or would; not as whom doctor does."""
    pid: int | None = None
    """Of the gateway; None: it isn't running."""
    devices: frozenset[str] | None = None
    """Which devices its service may open, as systemd's ``DeviceAllow`` names them; None: all that its user may."""
    connected: bool = False
    """The gateway has this connection now: it is no time to try what only one can have."""
    reason: str = ""
    """What the gateway says is wrong with the source, in its adapter's own words; empty: nothing is, or none runs."""
