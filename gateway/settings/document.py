"""A whole configuration: its data, and everything found wrong with it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gateway.errors import ConfigError, ConfigProblem
from gateway.quantities import BASE
from gateway.settings import toml_lines
from gateway.settings.merged import Merged
from gateway.settings.part import Part
from gateway.settings.problems import Complaint, complaints
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
    """

    def __init__(self, main: Part, added: Sequence[Part] = ()) -> None:
        self._merged = Merged(main, added)
        self._problems: list[tuple[int, int, ConfigProblem]] = []
        self.data = self._merged.data
        for part, complaint in self._merged.complaints():
            self._keep(part, complaint.path, complaint)

    @classmethod
    def read(cls, path: Path, added: Sequence[Path] = ()) -> "Document":
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
        return cls(parts[0], parts[1:])

    def check(self, model: type[M], at: toml_lines.Path = ()) -> M | None:
        """Return the table at ``at`` as ``model``; None, and its problems kept, if it doesn't fit.

        Types are TOML's: ``"1883"`` is no number. Relative paths are relative to the file's folder.
        """
        base = {BASE: self._merged.home(at)[0].path.absolute().parent}
        try:
            # JSON is where pydantic's strictness knows that an array may become a tuple and a text a path.
            return model.model_validate_json(json.dumps(self.value(at), default=str), strict=True, context=base)
        except ValidationError as error:
            for complaint in complaints(error, model, self.value(at)):
                self.complain(at, complaint)
            return None

    def value(self, at: toml_lines.Path) -> object:
        """Return what is at ``at``; an empty table where nothing is."""
        found: object = self.data
        for part in at:
            try:
                found = found[part]  # type: ignore[index]  # a path leads through tables and arrays only
            except LookupError:
                return {}
        return found

    def complain(self, at: toml_lines.Path, complaint: Complaint) -> None:
        """Keep a problem of the table at ``at``."""
        part, path = self._merged.home(at + complaint.path)
        self._keep(part, path, complaint)

    def elsewhere(self, at: toml_lines.Path, seen_from: toml_lines.Path) -> str:
        """Return where ``at`` is, for somebody who looks at ``seen_from``: ``line 12``, or with its file."""
        part, path = self._merged.home(at)
        here, _ = self._merged.home(seen_from)
        return f"line {part.line(path)}" if part is here else part.where(path)

    def finish(self) -> None:
        """Raise ``ConfigError`` with all problems, in the order of the files, if there are any."""
        if self._problems:
            raise ConfigError([problem for *_, problem in sorted(self._problems, key=lambda each: each[:2])])

    def _keep(self, part: Part, path: toml_lines.Path, complaint: Complaint) -> None:
        problem = ConfigProblem(part.where(path), spelled(path), complaint.expected, complaint.found, complaint.hint)
        self._problems.append((self._merged.parts.index(part), part.line(path) or 0, problem))
