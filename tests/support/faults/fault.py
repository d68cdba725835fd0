"""One fault: how it is brought about, and what is to be said of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.support.faults.box import Box

Seed = Callable[[Box], object]


@dataclass(frozen=True)
class Fault:
    """A row of docs/doctor.md, and its test.

    Parameters
    ----------
    wrong
        In words.
    finding
        The name that doctor gives it; of configurations it has one name for all: ``configuration``.
    remedy
        A part of the remedy that is printed.
    seed
        Brings it about in a box; returns the findings themselves where the program can't be made to meet it.
    said
        Parts of the text that is printed.
    """

    wrong: str
    finding: str
    remedy: str
    seed: Seed
    said: tuple[str, ...]
    severity: str
    how: str
    root: bool
    program: str

    @property
    def exit(self) -> int:
        """Which exit status is right."""
        if self.finding == "configuration":
            return 78
        return 0 if self.severity == "note" else 1


def fault(
    wrong: str,
    finding: str,
    remedy: str,
    *,
    said: Iterable[str] = (),
    severity: str = "error",
    how: str = "",
    root: bool = False,
    program: str = "doctor",
) -> Callable[[Seed], Fault]:
    """Return a decorator that makes a fault of what seeds it, and of its docstring, or ``how``, how that is done."""

    def made(seed: Seed) -> Fault:
        return Fault(
            wrong,
            finding,
            remedy,
            seed,
            tuple(said),
            severity,
            how or (seed.__doc__ or "").strip(" .\n"),
            root,
            program,
        )

    return made
