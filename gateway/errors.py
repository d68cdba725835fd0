"""The error tree, split by who must act.

GatewayError
├── ConfigError     the user edits gateway.toml; the daemon refuses to start, exit 78
├── AdapterDown     the other end; the supervisor retries with back-off
├── Rejected        the sensor's owner; the message is kept raw, with the reason
├── JournalDown     the disk; live goes on, writing is retried
└── CannotStart     whoever runs the daemon; it ends with exit 1

Any other exception is ours: a traceback once, and that adapter ``failed``.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class GatewayError(Exception):
    """Root of everything that the gateway raises on purpose."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong with a configuration, in the words its author needs."""

    where: str
    """``gateway.toml:12``, or the file alone where no line can be named."""
    key: str
    """Dotted path as the file spells it: ``adapters[0].port``."""
    expected: str
    found: str
    hint: str = ""
    """``did you mean "baudrate"?``, or empty."""

    def __str__(self) -> str:
        text = f"{self.where}: {self.key}: expected {self.expected}, found {self.found}"
        return f"{text}; {self.hint}" if self.hint else text


class ConfigError(GatewayError):
    """The configuration can't be used; carries every problem found, not just the first."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class AdapterDown(GatewayError):
    """The other end is away or refuses; the message says which and why, for people."""


class Rejected(GatewayError):
    """A message that can't become readings.

    ``reason`` is one line for the sensor's owner: ``temperature: expected a number, got "21,4"``.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class JournalDown(GatewayError):
    """The journal can't be read or written now; the message names file and cause."""


class CannotStart(GatewayError):
    """The daemon can't have what it needs from this machine, such as its port; the message says what."""
