"""The payload is one value: a number, true or false, or a word."""

from gateway.decoding.flatten import Fields
from gateway.decoding.numbers import value_of
from gateway.decoding.text import text_of
from gateway.errors import Rejected


class ValueDecoder:
    """Gives the payload the name of a metric."""

    def __init__(self, metric: str, verbatim: frozenset[str] = frozenset()) -> None:
        self._metric = metric
        self._verbatim = metric in verbatim

    def __call__(self, payload: bytes) -> list[Fields]:
        """Return the one field."""
        text = text_of(payload)
        if not text:
            raise Rejected("no values")
        return [{self._metric: text if self._verbatim else value_of(self._metric, text)}]
