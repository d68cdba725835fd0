"""One gateway.toml: its text, its data, and everything found wrong with it."""

import json
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gateway.errors import ConfigError, ConfigProblem
from gateway.settings import toml_lines
from gateway.settings.models import BASE
from gateway.settings.problems import Complaint, complaints
from gateway.settings.words import quoted, spelled

M = TypeVar("M", bound=BaseModel)

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_UNQUOTED = re.compile(r"=\s*[^\s\"'\[{]")


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
        self.data = self._parse()

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a file.

        Raises
        ------
        ConfigError
            It can't be read, isn't UTF-8, or isn't TOML.
        """
        return cls(path, _decode(path, _read(path)))

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
        """Return what is at ``at``, which exists."""
        found: object = self.data
        for part in at:
            found = found[part]  # type: ignore[index]  # the path was found in this data
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

    def _parse(self) -> dict[str, object]:
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax_problem(self.path, self._text, str(error))]) from error
        except RecursionError:
            problem = ConfigProblem(str(self.path), "the file", "less nesting", "arrays or tables nested too deeply")
            raise ConfigError([problem]) from None


def _line_number(problem: ConfigProblem) -> int:
    number = problem.where.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        found, hint = "nothing there", "gatewayctl config sample prints one to start from"
    except IsADirectoryError:
        found, hint = "a directory", "name the file in it"
    except OSError as error:
        found, hint = (error.strerror or str(error)).lower(), "it must be readable for the user that runs the gateway"
    raise ConfigError([ConfigProblem(str(path), "the file", "a readable TOML file", found, hint)])


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")  # Windows editors put a byte order mark in front
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
    raise ConfigError([ConfigProblem(f"{path}:{line}", "the text", "UTF-8", found, "save the file as UTF-8")])


def _syntax_problem(path: Path, text: str, message: str) -> ConfigProblem:
    lines = text.split("\n")
    position = _POSITION.search(message)
    line, column = (int(position[1]), int(position[2])) if position and position[1] else (len(lines), 1)
    reason = _POSITION.sub("", message)
    hint = reason[:1].lower() + reason[1:]
    if _UNQUOTED.search(lines[line - 1]):
        hint += '; text goes in quotes: key = "text"'
    return ConfigProblem(f"{path}:{line}", f"column {column}", "TOML", quoted(lines[line - 1].strip()), hint)
