"""What pydantic expected, by the kind of its error, in plain words."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway.settings.words import did_you_mean, one_of

_LIST_OF_TABLES = "double brackets, [[…]], begin one of several tables"
_TYPES = {
    "bool": "true or false",
    "date": "a date",
    "dict": "a table",
    "enum": "one of the known words",
    "float": "a number",
    "int": "a whole number",
    "is_instance": "another value",
    "list": "a list",
    "model": "a table",
    "path": "a path",
    "set": "a list",
    "string": "text in quotes",
    "tuple": "a list",
    "url": "an address",
}


def _one_of(context: Mapping[str, Any]) -> str:
    words = _choices(context)
    return one_of(words) if words else str(context["expected"])  # numbers are spelled well: 0, 1 or 2


def _choices(context: Mapping[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", str(context["expected"]))


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "unmet": lambda context: str(context["expected"]),
    "literal_error": _one_of,
    "enum": _one_of,
    "greater_than": lambda context: f"more than {context['gt']}",
    "greater_than_equal": lambda context: f"at least {context['ge']}",
    "less_than": lambda context: f"less than {context['lt']}",
    "less_than_equal": lambda context: f"at most {context['le']}",
    "multiple_of": lambda context: f"a multiple of {context['multiple_of']}",
    "finite_number": lambda _: "a finite number",
    "string_too_short": lambda context: f"text of at least {_counted(context['min_length'], 'character')}",
    "string_too_long": lambda context: f"text of at most {_counted(context['max_length'], 'character')}",
    "string_pattern_mismatch": lambda context: f"text like {context['pattern']}",
    "too_short": lambda context: f"at least {_counted(context['min_length'], 'entry')}",
    "too_long": lambda context: f"at most {_counted(context['max_length'], 'entry')}",
}


def expected_by(kind: str, context: Mapping[str, Any]) -> str:
    """Return what should stand there, to fit behind "expected".

    Parameters
    ----------
    kind, context
        ``type`` and ``ctx`` of pydantic's error.
    """
    if kind in _WORDS:
        return _WORDS[kind](context)
    return _TYPES.get(re.sub(r"_(type|parsing|from_float|attributes_type).*", "", kind), f"another value ({kind})")


def hint_for(kind: str, context: Mapping[str, Any], found: object) -> str:
    """Return what may help besides, or nothing."""
    if kind in ("literal_error", "enum"):
        return did_you_mean(found, _choices(context))
    if kind in ("tuple_type", "list_type") and isinstance(found, dict):
        return _LIST_OF_TABLES
    return str(context.get("hint", ""))


def _counted(number: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"
