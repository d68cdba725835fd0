"""Reading for viewers what they missed, and trying again where the journal can't be read."""

import logging
from collections.abc import Callable
from typing import TypeVar

from gateway.errors import JournalDown
from gateway.live.watches import Watch
from gateway.runtime import monotonic

T = TypeVar("T")
log = logging.getLogger(__name__)

_AGAIN_S = 0.5
"""Between two tries of one watch."""
_PATIENCE_S = 5.0
"""A watch goes without what can't be read for so long: to see what is new is worth more than to wait on."""


class Recall:
    """Asks the journal; hub thread only."""

    def __init__(self) -> None:
        self._down = False

    def read(self, query: Callable[[str, int, int, int], T], watch: Watch, upto: int, most: int) -> T | None:
        """Return what ``query`` finds past the position of ``watch``; None: it can't be read for now."""
        if monotonic() < watch.again_at:
            return None
        try:
            found = query(watch.device, watch.position, upto, most)
        except JournalDown as error:
            self._failed(watch, error)
            return None
        self._down, watch.failing_since = False, None
        return found

    def _failed(self, watch: Watch, error: JournalDown) -> None:
        if not self._down:
            log.warning("%s can't be shown its history: %s", watch.device, error)
        self._down, at = True, monotonic()
        watch.again_at = at + _AGAIN_S
        if watch.failing_since is None:
            watch.failing_since = at

    @staticmethod
    def gives_up(watch: Watch) -> bool:
        """Tell whether ``watch`` has waited for long enough; it begins anew then."""
        if watch.failing_since is None or monotonic() - watch.failing_since < _PATIENCE_S:
            return False
        watch.failing_since = None
        return True
