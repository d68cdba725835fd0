"""A whole configuration, checked: settings, adapters and profiles that fit one another."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from gateway.adapter import AdapterConfig, PayloadConfig
from gateway.decoding.topics import TopicPattern
from gateway.openness import warnings
from gateway.profiles import Profile, ProfileConfig, build
from gateway.registry import AdapterType, BrokenType, Registry, UnknownType
from gateway.secrets import Secrets
from gateway.settings import Document, References, Settings, check_version, drop_ins, find_config
from gateway.settings.problems import Complaint
from gateway.settings.toml_lines import Path as Place
from gateway.settings.words import described, did_you_mean, one_of, quoted

__all__ = ["Configuration", "find_config", "load", "no_source"]

Chosen = tuple[AdapterType, AdapterConfig]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the daemon runs on."""

    path: Path
    added: tuple[Path, ...]
    """The files of conf.d, in their order."""
    secrets: Secrets
    warnings: tuple[str, ...]
    """What can be used, and had better be otherwise."""
    settings: Settings
    adapters: tuple[Chosen, ...]
    """In the order of the file, disabled ones too."""
    profiles: Mapping[str, Profile]
    profile_configs: Mapping[str, ProfileConfig]
    """What ``profiles`` were made of."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that people are told of a configuration that can be used: ``warnings``, and that nothing will come."""
        is_idle = not any(config.enabled for _, config in self.adapters)
        return (*self.warnings, no_source(self.path)) if is_idle else self.warnings

    def sharing(self, other: "Configuration") -> "Configuration":
        """Return the same with those profiles of ``other`` that are no different: as the same objects."""
        same = {
            name: other.profiles[name]
            for name, config in self.profile_configs.items()
            if other.profile_configs.get(name) == config
        }
        return replace(self, profiles={**self.profiles, **same})


def no_source(path: Path) -> str:
    """Return what is to be said, and by all in the same words, where no source is enabled in ``path``."""
    remedy = f"add an [[adapters]] table to {path.absolute()}, then gatewayctl reload"
    return f"no source is configured and enabled: nothing will come; {remedy}"


def load(
    path: Path, registry: Registry | None = None, *, secrets: Secrets | None = None, elsewhere: bool = False
) -> Configuration:
    """Read and check gateway.toml.

    Parameters
    ----------
    path
        Of the file, beside which a folder conf.d may be; relative paths in a file are relative to its folder.
    registry
        The known types of adapters; default: what is installed.
    secrets
        Learns what is not to be seen.
    elsewhere
        Whether this is another process than the service: its credentials then can't be looked at.

    Raises
    ------
    ConfigError
        With every problem, each with its line.
    """
    added = drop_ins(path)
    references = References(os.environ, secrets or Secrets(), elsewhere=elsewhere)
    document = Document.read(path, added, references)
    check_version(document)
    settings = document.check(Settings)
    adapters = tuple(_Adapters(document, registry or Registry.installed()).check())
    profiles = list(_profiles(document))
    document.finish()
    assert settings is not None, "without settings there is a problem, and finish raises"
    return Configuration(
        path,
        added,
        document.secrets,
        tuple(warnings(document, [config for _, config in adapters])),
        settings,
        adapters,
        {name: profile for name, _, profile in profiles},
        {name: config for name, config, _ in profiles},
    )


def _profiles(document: Document) -> Iterator[tuple[str, ProfileConfig, Profile]]:
    for name in _tables(document, "profiles"):
        at = ("profiles", name)
        config = document.check(ProfileConfig, at)
        if config is None:
            continue
        try:
            yield name, config, build(name, config)
        except ValueError as error:
            document.complain(
                at, Complaint(("model",), "a model that can be used", described(config.model), str(error))
            )


def _tables(document: Document, key: str) -> dict[str, object]:
    """Return the tables under ``key`` by name; that they are tables is checked with the settings."""
    tables = document.data.get(key)
    return (
        {name: table for name, table in tables.items() if isinstance(table, dict)} if isinstance(tables, dict) else {}
    )


class _Adapters:
    """Checks the ``[[adapters]]`` tables of one document."""

    def __init__(self, document: Document, registry: Registry) -> None:
        self._document = document
        self._registry = registry
        self._names: dict[str, Place] = {}

    def check(self) -> Iterator[Chosen]:
        """Yield those that fit; complain of the others."""
        tables = self._document.data.get("adapters")
        for index, table in enumerate(_list(tables)):
            if isinstance(table, dict):
                yield from self._check_one(("adapters", index), table)

    def _check_one(self, at: Place, table: dict[str, object]) -> Iterator[Chosen]:
        self._check_name(at, table.get("name"))
        kind = self._type(at, table)
        if kind is None:
            return
        config = self._document.check(kind.Config, at)
        if config is None:
            for place, name in _named_profiles(table):
                self._check_profile(at + place, name)
            return
        for place, payload in _payloads(config):
            self._check_profile(at + place, payload.profile)
            self._check_topic(at + place, payload)
        for key in type(config).model_fields:
            if isinstance(value := getattr(config, key), SecretStr):
                self._document.secrets.add(value.get_secret_value(), "…")
        yield kind, config

    def _check_name(self, at: Place, name: object) -> None:
        if not isinstance(name, str):
            return
        first = self._names.setdefault(name, at)
        if first != at:
            hint = f"{self._document.elsewhere((*first, 'name'), at)} has the same"
            self._document.complain(at, Complaint(("name",), "a name of its own", quoted(name), hint))

    def _type(self, at: Place, table: dict[str, object]) -> AdapterType | None:
        name = table.get("type")
        known = self._registry.names
        try:
            return self._registry.find(name if isinstance(name, str) else "")
        except UnknownType:
            found = described(name) if "type" in table else "nothing"
            complaint = Complaint(("type",), one_of(known), found, did_you_mean(name, known))
        except BrokenType as error:
            complaint = Complaint(("type",), "an adapter that works", described(name), str(error))
        self._document.complain(at, complaint)
        return None

    def _check_profile(self, at: Place, name: str | None) -> None:
        known = _tables(self._document, "profiles")
        if name is not None and name not in known:
            expected = one_of(known) if known else f"a table [profiles.{name}]"
            self._document.complain(at, Complaint(("profile",), expected, quoted(name), did_you_mean(name, known)))

    def _check_topic(self, at: Place, payload: PayloadConfig) -> None:
        pattern = payload.topic_pattern
        if pattern is None:
            return
        try:
            names = TopicPattern(pattern).names
        except ValueError as error:
            self._document.complain(at, Complaint(("topic",), "a possible topic", quoted(pattern), str(error)))
            return
        if "metric" in names and payload.decode != "value":
            expected = f'no {{metric}}, as decode = "{payload.decode}" names its metrics itself'
            hint = 'write + in its place, or decode = "value" if the payload is one value'
            self._document.complain(at, Complaint(("topic",), expected, quoted(pattern), hint))


def _named_profiles(table: dict[str, object]) -> Iterator[tuple[Place, str]]:
    """Yield the profiles that a table names which doesn't fit its model, so that no problem hides another."""
    inner = (((key, index), entry) for key, value in table.items() for index, entry in enumerate(_list(value)))
    for place, entry in (((), table), *inner):
        if isinstance(entry, dict) and isinstance(entry.get("profile"), str):
            yield place, entry["profile"]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _payloads(config: AdapterConfig) -> Iterator[tuple[Place, PayloadConfig]]:
    """Yield each way in which messages are read, and where in the adapter's table it stands."""
    places = {id(value): place for place, value in _values(config)}
    for payload in config.payloads():
        yield places.get(id(payload), ()), payload


def _values(config: AdapterConfig) -> Iterator[tuple[Place, object]]:
    for key in type(config).model_fields:
        value = getattr(config, key)
        yield (key,), value
        if isinstance(value, tuple | list):
            yield from (((key, index), entry) for index, entry in enumerate(value))
