"""A whole configuration: its data, and everything found wrong with it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.errors import ConfigError, ConfigProblem
from gateway.quantities import BASE
from gateway.secrets import Secrets, is_secret_key
from gateway.settings import toml_lines
from gateway.settings.merged import Merged
from gateway.settings.part import Part
from gateway.settings.problems import Complaint, complaints
from gateway.settings.references import References
from gateway.settings.words import spelled

M = TypeVar("M", bound=BaseModel)


class Document:
    """TOML whose problems are collected, so that its author sees all of them at once.

    Parameters
    ----------
    main
        gateway.toml.
    added
        The files of conf.d, in their order.
    references
        Puts in what texts refer to; by default nothing.
    """

    def __init__(self, main: Part, added: Sequence[Part] = (), references: References | None = None) -> None:
        self.secrets = references.secrets if references else Secrets()
        self._merged = Merged(main, added)
        self._problems: list[tuple[int, int, ConfigProblem]] = []
        self._unresolved: set[toml_lines.Path] = set()
        written: dict[str, Any] = self._merged.data
        self.data = written
        """Texts in it are as they are after ``references`` were put in."""
        for part, complaint in self._merged.complaints():
            self._keep(part, complaint.path, complaint)
        if references is not None:
            self.data = {key: references.expand(value, self._leave, (key,)) for key, value in written.items()}

    @classmethod
    def read(cls, path: Path, added: Sequence[Path] = (), references: References | None = None) -> "Document":
        """Read a file, and those that add to it.

        Raises
        ------
        ConfigError
            One can't be read, isn't UTF-8, or isn't TOML; says so of each.
        """
        parts: list[Part] = []
        problems: list[ConfigProblem] = []
        for each in (path, *added):
            try:
                parts.append(Part.read(each))
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems)
        return cls(parts[0], parts[1:], references)

    def check(self, model: type[M], at: toml_lines.Path = ()) -> M | None:
        """Return the table at ``at`` as ``model``; None, and its problems kept, if it doesn't fit.

        Types are TOML's: ``"1883"`` is no number. Relative paths are relative to the file's folder.
        """
        base = {BASE: self._merged.home(at)[0].path.absolute().parent}
        try:
            # JSON is where pydantic's strictness knows that an array may become a tuple and a text a path.
            return model.model_validate_json(json.dumps(self.value(at), default=str), strict=True, context=base)
        except ValidationError as error:
            for complaint in complaints(error, model, self.written(at)):
                self.complain(at, complaint)
            return None

    def value(self, at: toml_lines.Path) -> object:
        """Return what is at ``at``; an empty table where nothing is."""
        return _value(self.data, at)

    def written(self, at: toml_lines.Path) -> object:
        """Return what is at ``at`` as its author wrote it, with its references; an empty table where nothing is."""
        return _value(self._merged.data, at)

    def complain(self, at: toml_lines.Path, complaint: Complaint) -> None:
        """Keep a problem of the table at ``at``; of what refers to nothing, that is all that is said."""
        place = at + complaint.path
        if place not in self._unresolved:
            part, path = self._merged.home(place)
            self._keep(part, path, complaint)

    def _leave(self, at: toml_lines.Path, complaint: Complaint) -> None:
        self.complain(at, complaint)
        self._unresolved.add(at)

    def file(self, at: toml_lines.Path) -> Path:
        """Return the file that has ``at``."""
        return self._merged.home(at)[0].path

    def where(self, at: toml_lines.Path) -> str:
        """Return file, line and key of ``at``, as problems begin."""
        part, path = self._merged.home(at)
        return f"{part.where(path)}: {spelled(path)}"

    def elsewhere(self, at: toml_lines.Path, seen_from: toml_lines.Path) -> str:
        """Return where ``at`` is, for somebody who looks at ``seen_from``: ``line 12``, or with its file."""
        part, path = self._merged.home(at)
        here, _ = self._merged.home(seen_from)
        return f"line {part.line(path)}" if part is here else part.where(path)

    def finish(self, table: str = "") -> None:
        """Raise ``ConfigError`` with all problems, or all of one table, in the order of the files, if there are any."""
        found = [each for each in self._problems if each[2].key.startswith(table)]
        if found:
            raise ConfigError([problem for *_, problem in sorted(found, key=lambda each: each[:2])])

    def _keep(self, part: Part, path: toml_lines.Path, complaint: Complaint) -> None:
        key, hide = spelled(path), self.secrets.hide
        said = complaint.discreet() if is_secret_key(key) else complaint
        problem = ConfigProblem(part.where(path), key, hide(said.expected), hide(said.found), hide(said.hint))
        self._problems.append((self._merged.parts.index(part), part.line(path) or 0, problem))


def _value(found: object, at: toml_lines.Path) -> object:
    for part in at:
        try:
            found = found[part]  # type: ignore[index]  # a path leads through tables and arrays only
        except LookupError:
            return {}
    return found
