"""Pairs of name and value: ``a=1 b=2``, with blanks or commas between, and text in quotes if need be."""

import re

from gateway.decoding.flatten import Fields
from gateway.decoding.numbers import value_of
from gateway.decoding.text import text_of
from gateway.decoding.words import shown
from gateway.errors import Rejected

# Possessive where it could try again: the time this takes is in proportion to the payload.
_PAIR = re.compile(r"""([^\s,="]++)=(?:"((?:[^"\\]|\\.)*+)"|([^\s,"]*+))(?=[\s,]|\Z)[\s,]*+""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class KvDecoder:
    """Takes each pair as a field; one without a value (``a=``) is none."""

    def __init__(self, verbatim: frozenset[str] = frozenset()) -> None:
        self._verbatim = verbatim

    def __call__(self, payload: bytes) -> list[Fields]:
        """Return the fields of the one reading."""
        text = text_of(payload)
        fields: Fields = {}
        names: set[str] = set()
        end = 0
        while end < len(text):
            match = _PAIR.match(text, end)
            if match is None:
                raise Rejected(f"expected name=value, got {shown(text[end:])}")
            if match[1] in names:
                raise Rejected(f"{shown(match[1])}: is there twice")
            names.add(match[1])
            self._take(fields, match)
            end = match.end()
        return [fields]

    def _take(self, fields: Fields, match: re.Match[str]) -> None:
        name, quoted, bare = match.groups()
        if quoted is not None:
            fields[name] = _ESCAPED.sub(r"\1", quoted)
        elif bare:
            fields[name] = bare if name in self._verbatim else value_of(name, bare)
