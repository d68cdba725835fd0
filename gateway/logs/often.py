"""Log lines about what may come with each message."""

import logging

from gateway.logs.floods import Floods


class Throttled:
    """One line a source when it begins, and a summary now and then while it lasts, see ``Floods``."""

    def __init__(self, logger: str, what: str) -> None:
        self._log = logging.getLogger(logger)
        self._what = what
        self._floods: Floods[str] = Floods(burst=1)

    def warn(self, source: str, reason: str) -> None:
        """Log ``reason``, or count it for the next summary."""
        if self._floods.passes(source, reason):
            self._log.warning("source %s: message %s: %s", source, self._what, reason, extra={"source": source})

    def sum_up(self, *, all_now: bool = False) -> None:
        """Log the summaries that are due; call about once a second, and with ``all_now`` at the end."""
        for source, summary in self._floods.due(all_now=all_now):
            text = "source %s: %d more messages %s in %s, the last: %s"
            args = (source, summary.held, self._what, summary.span, summary.last)
            self._log.warning(text, *args, extra={"source": source})


class Defects:
    """The traceback of a defect of ours, once a kind: it would come with each message."""

    def __init__(self, logger: str) -> None:
        self._log = logging.getLogger(logger)
        self._seen: set[str] = set()

    def report(self, what: str, error: Exception) -> None:
        """Log that ``what`` failed, the first time."""
        if what not in self._seen:
            self._seen.add(what)
            self._log.error("%s failed", what, exc_info=error)
