"""What all checks start from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.configuration import Configuration
from gateway.doctor.unit import Unit
from gateway.errors import ConfigProblem
from gateway.machine import User


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the running gateway says of one source."""

    state: str
    reason: str | None = None
    skew_s: float | None = None
    since_s: float = 0.0
    """For how long it has been in this state."""
    received: int = 0
    stored: int = 0
    rejected: int = 0
    """Messages, of the ledger."""

    @property
    def is_up(self) -> bool:
        """Whether its connection stands."""
        return self.state in ("up", "stalled")


@dataclass(frozen=True, slots=True)
class Running:
    """What the running gateway says of itself."""

    version: str
    problems: Sequence[str] = ()
    sources: Mapping[str, SourceState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one gateway on this machine."""

    path: Path | None
    """Of gateway.toml; None: there is none."""
    configuration: Configuration | None
    """None: it can't be used, and ``problems`` says why."""
    problems: Sequence[ConfigProblem]
    version: str
    """Of the installed package."""
    user: User
    """As whom the gateway runs, or would."""
    control: Path | None = None
    """Where its control socket should be, as far as that is known."""
    pid: int | None = None
    """Of the gateway, whether it answers or not; None: none was found."""
    running: Running | None = None
    """What it answers."""
    silence: str = ""
    """Why it doesn't answer, though it seems to be there."""
    is_forbidden: bool = False
    """Who asks may not use the control socket."""
    unit: Unit | None = None
    """None: this machine has no systemd, or no unit of the gateway."""
