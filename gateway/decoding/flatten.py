"""Nested objects and arrays to one level: ``{"power": [1, 2]}`` is ``{"power.0": 1, "power.1": 2}``."""

from collections.abc import Iterator
from typing import Any

from gateway.errors import Rejected
from gateway.model import MAX_METRIC_NAME, MAX_METRICS

MAX_DEPTH = 32
_MAX_FIELDS = MAX_METRICS + 2  # the source's time and the device's name are no metrics yet
_NESTED = frozenset({dict, list})
_SPECIAL = _NESTED | {type(None)}

Fields = dict[str, object]


def is_flat(document: Fields) -> bool:
    """Tell whether ``document`` has neither nesting nor nulls."""
    for value in document.values():  # noqa: SIM110  all() would take twice as long, for each message
        if type(value) in _SPECIAL:
            return False
    return True


def flatten(document: Fields) -> Fields:
    """Return ``document`` without nesting and without nulls; it may be the same object.

    Raises
    ------
    Rejected
        It is nested more than ``MAX_DEPTH`` levels, gives one name to two values, or a field's
        name or the number of fields is out of bounds. Bounds come first: the memory that this
        takes doesn't grow with how often a long name is repeated.
    """
    if is_flat(document):
        return document
    fields: Fields = {}
    for name, value in _leaves(document):
        if name in fields:
            raise Rejected(f"{name}: is there twice")
        fields[name] = value
        if len(fields) > _MAX_FIELDS:
            raise Rejected(f"more than {MAX_METRICS} metrics")
    return fields


def _leaves(document: Fields) -> Iterator[tuple[str, object]]:
    """Yield dotted names and plain values in order; a stack of its own, so depth can't exhaust Python's."""
    stack: list[tuple[str, Iterator[tuple[object, object]]]] = [("", _items(document))]
    while stack:
        prefix, items = stack[-1]
        for key, value in items:
            if type(value) in _NESTED:
                stack.append((f"{_named(prefix, key)}.", _items(value)))
                _check_depth(stack)
                break
            if value is not None:
                yield _named(prefix, key), value
        else:
            stack.pop()


def _items(node: Any) -> Iterator[tuple[object, object]]:
    return iter(node.items() if isinstance(node, dict) else enumerate(node))


def _named(prefix: str, key: object) -> str:
    name = f"{prefix}{key}"
    if len(name) > MAX_METRIC_NAME:
        raise Rejected(f"metric name: has {len(name)} characters, at most {MAX_METRIC_NAME} are allowed")
    return name


def _check_depth(stack: list[tuple[str, Iterator[tuple[object, object]]]]) -> None:
    if len(stack) > MAX_DEPTH:
        raise Rejected(f"nested more than {MAX_DEPTH} levels deep")
