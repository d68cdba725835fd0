"""What eventlet's server has to say, as far as anybody should hear it."""

import logging
import sys

log = logging.getLogger(__name__)


class WsgiLog:
    """Logs defects: what is raised below Flask, which would be answered with 500 and never heard of.

    What clients do, such as to leave before they have their answer, is no news, and neither is each request.
    """

    def info(self, _text: str) -> None:
        """Log the error that is being handled, if it is ours."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):
            log.error("answering a request failed", exc_info=error)

    def debug(self, text: str) -> None:
        """Take no notice."""

    def error(self, text: str) -> None:
        """Take no notice: it is about what a client sent."""
