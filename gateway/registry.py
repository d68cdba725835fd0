"""Adapter types by entry point: built-in ones are found exactly as third-party ones."""

import inspect
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from gateway.adapter import Adapter, AdapterConfig
from gateway.errors import GatewayError

GROUP = "gateway.adapters"

AdapterType = type[Adapter[Any]]


class UnknownType(GatewayError):
    """No installed package has an adapter of this type."""


class BrokenType(GatewayError):
    """An installed package says that it has this type, but it can't be used; the message says why."""


class Registry:
    """The types of adapters that are installed; each is imported when it is asked for.

    Parameters
    ----------
    entries
        Of the group ``gateway.adapters``; an entry's name is the ``type`` in gateway.toml.
    """

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._entries: dict[str, list[EntryPoint]] = {}
        for entry in sorted(entries, key=lambda entry: (entry.name, entry.value)):
            self._entries.setdefault(entry.name, []).append(entry)

    @classmethod
    def installed(cls) -> "Registry":
        """Return what this environment has."""
        return cls(entry_points(group=GROUP))

    @property
    def names(self) -> tuple[str, ...]:
        """The types, sorted; whether they can be used shows when they are."""
        return tuple(self._entries)

    def find(self, name: str) -> AdapterType:
        """Return the adapter class of type ``name``.

        Raises
        ------
        UnknownType
            There is none.
        BrokenType
            It can't be imported, or isn't an adapter; says in words what is wrong.
        """
        entries = self._entries.get(name)
        if not entries:
            raise UnknownType(name)
        targets = {entry.value for entry in entries}
        if len(targets) > 1:
            raise BrokenType(f"several packages provide it: {', '.join(sorted(targets))}")
        return _checked(_load(entries[0]), entries[0].value)

    def usable(self) -> Iterator[tuple[str, AdapterType]]:
        """Yield name and class of every type that can be used; broken ones are passed over."""
        for name in self.names:
            try:
                found = self.find(name)
            except BrokenType:
                continue
            yield name, found


def _load(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        raise BrokenType(f"{entry.value} can't be imported: {type(error).__name__}: {error}") from error


def _checked(found: object, target: str) -> AdapterType:
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        raise BrokenType(f"{target} is no subclass of gateway.adapter.Adapter")
    config = getattr(found, "Config", None)
    if not (isinstance(config, type) and issubclass(config, AdapterConfig)):
        raise BrokenType(f"{target} has no Config that is a subclass of gateway.adapter.AdapterConfig")
    if inspect.isabstract(found):
        raise BrokenType(f"{target} doesn't define {', '.join(sorted(found.__abstractmethods__))}")
    return found
