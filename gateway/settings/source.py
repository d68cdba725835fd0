"""A TOML file: read, decoded and parsed, or what is in the way of it."""

import re
import tomllib
from pathlib import Path

from gateway.errors import ConfigError, ConfigProblem
from gateway.secrets import hide_value
from gateway.settings.words import quoted

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_HINTS = (
    (re.compile(r"[=,]\s*[-+]?\d+,\d+\s*(?:$|[#,}\]])"), "a decimal point, not a comma: 21.5"),
    (re.compile(r"=\s*\"[^\"]*$|=\s*'[^']*$"), "a quote is missing at the text's end"),
    (re.compile(r"^\s*\[\w"), "one of several tables has two brackets: [[adapters]], [[adapters.routes]]"),
    (re.compile(r"=\s*[^\s\"'\[{]"), 'text goes in quotes: key = "text"'),
)
"""How a line looks, and what was meant perhaps; the first that fits."""


def read(path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    ConfigError
        It can't be read, or isn't UTF-8.
    """
    return _decode(path, _bytes(path))


def parse(path: Path, text: str) -> dict[str, object]:
    """Return the data of a TOML text.

    Raises
    ------
    ConfigError
        With line and column, if it isn't TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_problem(path, text, str(error))]) from error
    except RecursionError:
        problem = ConfigProblem(str(path), "the file", "less nesting", "arrays or tables nested too deeply")
        raise ConfigError([problem]) from None


def _bytes(path: Path) -> bytes:
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
    hint += next((f"; {meant}" for look, meant in _HINTS if look.search(lines[line - 1])), "")
    return ConfigProblem(
        f"{path}:{line}", f"column {column}", "TOML", quoted(hide_value(lines[line - 1].strip())), hint
    )
