"""What came of a reload: for gatewayctl, for the log, and for status as long as something is left undone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

What = Literal["added", "removed", "changed", "profiles"]
Outcome = Literal["up", "disabled", "removed", "exchanged", "waiting", "reverted"]

NOTHING = "nothing has changed"
_UNDONE = ("waiting", "reverted")


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one source."""

    name: str
    what: What
    outcome: Outcome
    """``exchanged``: it went on, and only its profiles are others. ``waiting``: it isn't up yet, and is tried further.
    ``reverted``: it runs on its old settings again."""
    reason: str | None = None
    """Why it isn't up; of one that is up: what is wrong nevertheless."""

    @property
    def done(self) -> bool:
        """Whether the source is as the file wants it, as far as is known."""
        return self.outcome not in _UNDONE

    def __str__(self) -> str:
        because = f": {self.reason}" if self.reason else ""
        match self.outcome:
            case "removed":
                return f"source {self.name} removed"
            case "exchanged":
                return f"source {self.name}: its profiles changed"
            case "reverted":
                return f"source {self.name} didn't come up with its changed settings{because}; its old ones are back"
            case "waiting":
                return f"source {self.name} {self.what}, and not up yet{because}"
        return f"source {self.name} {self.what}, and {self.outcome}{because}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found different, and what became of it."""

    problems: Sequence[str] = ()
    """Why the file can't be used; then nothing was changed."""
    sources: Sequence[Change] = ()
    settings: Sequence[str] = ()
    """Keys that are in effect now, as ``web.allowed_origins``."""
    restart: Sequence[str] = ()
    """Keys that need a restart."""
    warnings: Sequence[str] = ()
    """What can be used, and had better be otherwise: a secret that everybody can read, no source."""

    @property
    def complete(self) -> bool:
        """Whether all that the file says is in effect."""
        return not self.problems and not self.restart and all(change.done for change in self.sources)

    def as_dict(self) -> dict[str, object]:
        """Return RELOAD of docs/contract.md."""
        return {
            "complete": self.complete,
            "words": list(self.words()),
            "problems": list(self.problems),
            "sources": [
                {"name": each.name, "change": each.what, "outcome": each.outcome, "reason": each.reason}
                for each in self.sources
            ],
            "settings": list(self.settings),
            "restart": list(self.restart),
        }

    @property
    def nothing(self) -> bool:
        """Whether the file says what it said before."""
        return not (self.problems or self.sources or self.settings or self.restart)

    def words(self) -> Iterator[str]:
        """Yield all of it as people read it: what is in effect, then what isn't."""
        yield from (str(change) for change in self.sources if change.done)
        yield from (f"{key} changed" for key in self.settings)
        yield from self.unusable()
        yield from (str(change) for change in self.sources if not change.done)
        yield from self.left_settings()
        yield from [NOTHING] if self.nothing else []
        yield from (f"warning: {warning}" for warning in self.warnings)

    def unusable(self) -> Iterator[str]:
        """Yield why nothing was changed."""
        yield from (f"the configuration can't be used, and nothing was changed: {problem}" for problem in self.problems)

    def left(self) -> Iterator[str]:
        """Yield what will not be in effect before another reload, or a restart."""
        yield from (str(change) for change in self.sources if change.outcome == "reverted")
        yield from self.left_settings()

    def left_settings(self) -> Iterator[str]:
        """Yield what will not be in effect before a restart."""
        yield from (f"{key} changed in the configuration; it needs a restart" for key in self.restart)
