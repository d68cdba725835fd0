"""One gateway.toml: its text, its data, and everything found wrong with it."""

import json
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gateway.errors import ConfigError, ConfigProblem
from gateway.quantities import BASE
from gateway.settings import source, toml_lines
from gateway.settings.problems import Complaint, complaints
from gateway.settings.words import spelled

M = TypeVar("M", bound=BaseModel)


class Document:
    """A TOML file whose problems are collected, so that its author sees all of them at once.

    Parameters
    ----------
    path
        Of the file, as problems name it.
    text
        Its content.

    Raises
    ------
    ConfigError
        ``text`` isn't TOML.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = text
        self._problems: list[ConfigProblem] = []
        self.data = source.parse(path, text)

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a file.

        Raises
        ------
        ConfigError
            It can't be read, isn't UTF-8, or isn't TOML.
        """
        return cls(path, source.read(path))

    def check(self, model: type[M], at: toml_lines.Path = ()) -> M | None:
        """Return the table at ``at`` as ``model``; None, and its problems kept, if it doesn't fit.

        Types are TOML's: ``"1883"`` is no number. Relative paths are relative to the file's folder.
        """
        base = {BASE: self.path.absolute().parent}
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
        path = at + complaint.path
        line = toml_lines.nearest_line(self._lines, path)
        where = f"{self.path}:{line}" if line else str(self.path)
        key = spelled(path)
        self._problems.append(ConfigProblem(where, key, complaint.expected, complaint.found, complaint.hint))

    def line(self, at: toml_lines.Path) -> int | None:
        """Return the line on which ``at``, or the nearest table around it, begins."""
        return toml_lines.nearest_line(self._lines, at)

    def finish(self) -> None:
        """Raise ``ConfigError`` with all problems, in the order of the file, if there are any."""
        if self._problems:
            raise ConfigError(sorted(self._problems, key=_line_number))

    @cached_property
    def _lines(self) -> dict[toml_lines.Path, int]:
        return toml_lines.key_lines(self._text)


def _line_number(problem: ConfigProblem) -> int:
    number = problem.where.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
