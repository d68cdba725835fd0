"""What a configuration wants to run, so that it can be compared with what runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.adapter import AdapterConfig
from gateway.configuration import Configuration
from gateway.profiles import Profile
from gateway.registry import AdapterType
from gateway.settings import Settings

_TABLES = ("gateway", "web", "journal")


@dataclass(frozen=True, slots=True)
class Plan:
    """How one source is to run."""

    kind: AdapterType
    config: AdapterConfig
    profiles: Mapping[str, Profile]
    """Those that it names; one that isn't changed is the same object in the next configuration."""

    def runs_as(self, other: "Plan") -> bool:
        """Tell whether the adapter would do the same, whatever its values are held against."""
        return (self.kind, self.config) == (other.kind, other.config)


def plans(configuration: Configuration) -> dict[str, Plan]:
    """Return the plan of each source by name, in the order of the file."""
    return {
        config.name: Plan(kind, config, {name: configuration.profiles[name] for name in _profiles_of(config)})
        for kind, config in configuration.adapters
    }


def _profiles_of(config: AdapterConfig) -> Iterator[str]:
    return (payload.profile for payload in config.payloads() if payload.profile)


@dataclass(frozen=True, slots=True)
class Difference:
    """Which sources have to be touched, by name; all others are left alone."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Their adapters have to be run anew."""
    profiles: tuple[str, ...]
    """Only what their values are held against is another."""

    @classmethod
    def between(cls, old: Mapping[str, Plan], new: Mapping[str, Plan]) -> "Difference":
        """Compare what runs with what is to run."""
        both = [name for name in new if name in old]
        same = [name for name in both if new[name].runs_as(old[name])]
        return cls(
            added=tuple(name for name in new if name not in old),
            removed=tuple(name for name in old if name not in new),
            changed=tuple(name for name in both if name not in same),
            profiles=tuple(name for name in same if new[name].profiles != old[name].profiles),
        )


def values(settings: Settings) -> dict[str, object]:
    """Return each value that is no source's and no profile's, as ``web.port``."""
    return {f"{table}.{key}": value for table in _TABLES for key, value in getattr(settings, table)}
