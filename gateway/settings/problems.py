"""What pydantic found wrong, in plain words."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.settings.toml_lines import Path
from gateway.settings.words import described, did_you_mean, one_of

_LIST_OF_TABLES = "double brackets, [[…]], begin one of several tables"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A problem inside one table."""

    path: Path
    """From that table on."""
    expected: str
    found: str
    hint: str = ""


def complaints(error: ValidationError, model: type[BaseModel], table: object) -> Iterator[Complaint]:
    """Yield each thing that is wrong with ``table``, which doesn't fit ``model``."""
    for details in error.errors(include_url=False):
        yield _complaint(details, model, table)


def _complaint(details: ErrorDetails, model: type[BaseModel], table: object) -> Complaint:
    kind, context = details["type"], details.get("ctx", {})
    path = _path(details["loc"], table, missing=kind == "missing")
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if kind == "missing":
        return Complaint(path, "a value", "nothing", _description(model, path))
    if kind == "value_error":
        return _value_error(path, str(context["error"]), table)
    found = _at(table, path)
    return Complaint(path, _expected(kind, context), described(found), _hint(kind, context, found))


def _path(location: tuple[str | int, ...], table: object, *, missing: bool) -> Path:
    """Return the part of pydantic's location that is in the file: it names branches of unions, too."""
    path: Path = ()
    for position, part in enumerate(location, start=1):
        if _has(table, part):
            path, table = (*path, part), table[part]  # type: ignore[index]  # it has it
        elif missing and position == len(location):
            path = (*path, part)
    return path


def _has(table: object, part: str | int) -> bool:
    if isinstance(table, list):
        return isinstance(part, int) and part < len(table)
    return isinstance(table, dict) and part in table


def _at(table: object, path: Path) -> object:
    for part in path:
        table = table[part]  # type: ignore[index]  # _path kept what is there
    return table


def _unknown_key(path: Path, model: type[BaseModel]) -> Complaint:
    known = sorted(_fields_around(model, path))
    suggestion = did_you_mean(path[-1], known)
    expected = "a known key" if suggestion else one_of(known)
    return Complaint(path, expected, "an unknown key", suggestion)


def _value_error(path: Path, message: str, table: object) -> Complaint:
    """Understand ``key: expected this, got that; hint`` as far as the validator wrote it so."""
    parts = re.fullmatch(r"(?:(\w+): )?expected (.*?)(?:, (?:got|found) [^;]*)?(?:; (.*))?", message, re.DOTALL)
    if parts is None:
        return Complaint(path, f"a valid {_last_key(path)}", described(_at(table, path)), message)
    key, expected, hint = parts.groups()
    found = _at(table, path)
    if key is None:
        return Complaint(path, expected, described(found), hint or "")
    inner = described(found[key]) if isinstance(found, dict) and key in found else "nothing"
    return Complaint((*path, key), expected, inner, hint or "")


def _last_key(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "table")


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
_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "unmet": lambda context: str(context["expected"]),
    "literal_error": lambda context: one_of(_choices(context)),
    "enum": lambda context: one_of(_choices(context)),
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


def _expected(kind: str, context: Mapping[str, Any]) -> str:
    if kind in _WORDS:
        return _WORDS[kind](context)
    return _TYPES.get(re.sub(r"_(type|parsing|from_float|attributes_type).*", "", kind), f"another value ({kind})")


def _hint(kind: str, context: Mapping[str, Any], found: object) -> str:
    if kind in ("literal_error", "enum"):
        return did_you_mean(found, _choices(context))
    if kind in ("tuple_type", "list_type") and isinstance(found, dict):
        return _LIST_OF_TABLES
    return str(context.get("hint", ""))


def _choices(context: Mapping[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", str(context["expected"])) or [str(context["expected"])]


def _counted(number: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"


def _description(model: type[BaseModel], path: Path) -> str:
    field = _fields_around(model, path).get(str(path[-1]))
    return (field.description or "") if field else ""


def _fields_around(model: type[BaseModel], path: Path) -> dict[str, FieldInfo]:
    """Return the fields that the table around ``path`` may have."""
    tables = [model]
    for part in path[:-1]:
        fields = _named(tables)
        inner = list(_models(fields[part].annotation)) if isinstance(part, str) and part in fields else []
        tables = inner or tables
    return _named(tables)


def _named(tables: list[type[BaseModel]]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for table in tables for name, field in table.model_fields.items()}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
