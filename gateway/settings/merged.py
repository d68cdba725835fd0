"""gateway.toml and the files of conf.d as one configuration; what comes from where is known."""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.settings.part import Part
from gateway.settings.problems import Complaint
from gateway.settings.toml_lines import Path
from gateway.settings.words import described, did_you_mean, quoted

ADDED = {"adapters": list, "profiles": dict}
"""The tables that a file of conf.d may have."""
_SHAPES = {"adapters": "[[adapters]] tables", "profiles": "[profiles.NAME] tables"}


class Merged:
    """The data of all parts: adapters in the order of the files, profiles by name.

    Parameters
    ----------
    main
        gateway.toml.
    added
        The files of conf.d, in their order.
    """

    def __init__(self, main: Part, added: Sequence[Part]) -> None:
        self.parts = (main, *added)
        self.data: dict[str, Any] = dict(main.data)
        self._adapters: list[tuple[Part, int]] = []
        """Where each adapter is: its part, and its place in there."""
        self._profiles: dict[str, Part] = {}
        for part in self.parts:
            self._merge(part)

    def home(self, at: Path) -> tuple[Part, Path]:
        """Return the part that has what is at ``at``, and where in there."""
        if at[:1] == ("adapters",) and len(at) > 1 and at[1] in range(len(self._adapters)):
            part, index = self._adapters[at[1]]  # type: ignore[index]  # a number
            return part, ("adapters", index, *at[2:])
        if at[:1] == ("profiles",) and len(at) > 1:
            return self._profiles.get(str(at[1]), self.parts[0]), at
        return self.parts[0], at

    def complaints(self) -> Iterator[tuple[Part, Complaint]]:
        """Yield what is wrong with the way in which the parts go together."""
        for part in self.parts[1:]:
            for key, value in part.data.items():
                if not isinstance(value, ADDED.get(key, ())):
                    yield part, _misplaced(key, value)
            for name in _profiles(part):
                first = self._profiles[name]
                if first is not part:
                    hint = f"{first.where(('profiles', name))} has the same"
                    yield part, Complaint(("profiles", name), "a name of its own", quoted(name), hint)

    def _merge(self, part: Part) -> None:
        adapters, profiles = part.data.get("adapters"), _profiles(part)
        if isinstance(adapters, list):
            self._adapters += [(part, index) for index in range(len(adapters))]
            if part is not self.parts[0] and isinstance(self.data.setdefault("adapters", []), list):
                self.data["adapters"] = self.data["adapters"] + adapters
        for name in profiles:
            self._profiles.setdefault(name, part)
        if profiles and isinstance(self.data.get("profiles", {}), dict):
            self.data["profiles"] = profiles | self.data.get("profiles", {})  # of two, the first


def _profiles(part: Part) -> dict[str, object]:
    tables = part.data.get("profiles")
    return tables if isinstance(tables, dict) else {}


def _misplaced(key: str, value: object) -> Complaint:
    if key in ADDED:
        return Complaint((key,), _SHAPES[key], described(value))
    hint = did_you_mean(key, ADDED) or "all else belongs into the main file"
    return Complaint((key,), "only [[adapters]] and [profiles.NAME] in a file of conf.d", quoted(key), hint)
