"""Values in an order that the configuration names: ``21.5,48``."""

import csv
from collections.abc import Sequence

from gateway.decoding.flatten import Fields
from gateway.decoding.numbers import value_of
from gateway.decoding.text import text_of
from gateway.errors import Rejected


class CsvDecoder:
    """Gives the cells of one row the names of the columns; an empty cell is no value.

    Raises
    ------
    ValueError
        A column has a name that another one has.
    """

    def __init__(self, columns: Sequence[str], verbatim: frozenset[str] = frozenset()) -> None:
        named = [name for name in columns if name]
        if len(named) != len(set(named)):
            raise ValueError("two columns have one name")
        self._columns = tuple(columns)
        self._verbatim = verbatim

    def __call__(self, payload: bytes) -> list[Fields]:
        """Return the fields of the one reading."""
        cells = _cells(text_of(payload))
        if len(cells) != len(self._columns):
            raise Rejected(f"expected {len(self._columns)} cells ({', '.join(self._columns)}), got {len(cells)}")
        fields: Fields = {}
        for name, cell in zip(self._columns, cells, strict=True):
            text = cell.strip()
            if name and text:
                fields[name] = text if name in self._verbatim else value_of(name, text)
        return [fields]


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True, skipinitialspace=True), [])
    except csv.Error as error:
        raise Rejected(f"not a row of CSV: {error}") from error
