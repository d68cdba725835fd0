"""What the gateway does for itself, again and again: a defect in one part ends neither that part nor the others."""

import logging
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")
log = logging.getLogger(__name__)


class Chores:
    """Does chores, and says which of them failed: to people in ``notes``, and once with a traceback in the log.

    Parameters
    ----------
    notes
        Sentences that status shows; one is added for each chore that ever failed.
    """

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._logged: set[tuple[str, str]] = set()

    def do(self, name: str, chore: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call ``chore``, known by ``name`` to people; never raises."""
        try:
            chore(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  whatever it is, the next chore is not to suffer from it
            self._failed(name, error)

    def _failed(self, name: str, error: Exception) -> None:
        note = f"the gateway's own {name} failed; its log says why"
        if note not in self._notes:
            self._notes.append(note)
        kind = (name, type(error).__qualname__)
        if kind not in self._logged:
            self._logged.add(kind)
            log.error("the gateway's own %s failed", name, exc_info=error)
