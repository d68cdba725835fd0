"""What pydantic found wrong, in plain words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.settings.expectations import expected_by, hint_for
from gateway.settings.toml_lines import Path
from gateway.settings.words import described, did_you_mean, one_of, quoted

_VALUE_ERROR = re.compile(r"(?:(\w+): )?expected,? (.*?)(?:, (?:got|found) [^;]*)?(?:; (.*))?", re.DOTALL)
_NOT_SHOWN = "a value that is not shown"
_HARMLESS = ("nothing", "an unknown key", "a table", '""')
_OF_KEY = "[key]"
"""How pydantic's location ends where a table's key is wrong, and not its value."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A problem inside one table."""

    path: Path
    """From that table on."""
    expected: str
    found: str
    hint: str = ""

    def discreet(self) -> "Complaint":
        """Return the same without what was found, where that may be a secret."""
        return self if self.found in _HARMLESS else replace(self, found=_NOT_SHOWN)


def complaints(error: ValidationError, model: type[BaseModel], table: object) -> Iterator[Complaint]:
    """Yield each thing that is wrong with ``table``, which doesn't fit ``model``."""
    for details in error.errors(include_url=False):
        if not _only_follows(details, table):
            complaint = _complaint(details, model, table)
            yield complaint.discreet() if _is_secret(model, complaint.path) else complaint


def _only_follows(details: ErrorDetails, table: object) -> bool:
    """Tell whether a list is called too short only because its entries are wrong, which is said of each."""
    if details["type"] != "too_short":
        return False
    found = _at(table, _path(details["loc"], table, missing=False))
    return isinstance(found, list) and len(found) >= details["ctx"]["min_length"]


def _complaint(details: ErrorDetails, model: type[BaseModel], table: object) -> Complaint:
    kind, context = details["type"], details.get("ctx", {})
    path = _path(details["loc"], table, missing=kind == "missing")
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if kind == "missing":
        return Complaint(path, "a value", "nothing", _description(model, path))
    if details["loc"][-1:] == (_OF_KEY,):
        return Complaint(path, "another name", quoted(str(path[-1])), details["msg"].removeprefix("Value error, "))
    if kind == "value_error":
        return _value_error(path, str(context["error"]), table)
    found = _at(table, path)
    return Complaint(path, expected_by(kind, context), described(found), hint_for(kind, context, found))


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
    return Complaint(path, expected, "an unknown key", suggestion or _elsewhere(str(path[-1]), model))


def _elsewhere(name: str, model: type[BaseModel]) -> str:
    """Say which inner table has the key, if one has: it often stands before or behind the wrong header."""
    for table, field in _named([model]).items():
        if name in _named(list(_models(field.annotation))):
            return f"{quoted(table)} has one of this name"
    return ""


def _value_error(path: Path, message: str, table: object) -> Complaint:
    """Understand ``key: expected this, got that; hint`` as far as the validator wrote it so."""
    parts = _VALUE_ERROR.fullmatch(message)
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


def _is_secret(model: type[BaseModel], path: Path) -> bool:
    field = _fields_around(model, path).get(str(path[-1])) if path else None
    return field is not None and (field.annotation is SecretStr or SecretStr in get_args(field.annotation))


def _named(tables: list[type[BaseModel]]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for table in tables for name, field in table.model_fields.items()}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
