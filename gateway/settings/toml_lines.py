"""On which line of a TOML text a key stands.

tomllib keeps no positions. TOML's statements are lines, but for arrays and multi-line strings: a statement is the
fewest lines that parse alone, and what it parses to says which keys it sets (docs/decisions/0003).
"""

import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Where a value is: keys, and indices of arrays: ``("adapters", 0, "port")``."""


def key_lines(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, on which each key of a *valid* TOML text is first named.

    What stands inside an array or inline table isn't listed; its line is its nearest listed parent's.
    """
    lines: dict[Path, int] = {}
    tables = _Tables()
    for line, source, keys in _statements(text):
        for path in tables.place(source, keys):
            lines.setdefault(path, line)
    return lines


def nearest_line(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of ``path`` or of its nearest parent that has one."""
    parents = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[parent] for parent in parents if parent in lines), None)


def _statements(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield line, text and dotted key of each header and each key/value pair."""
    start, pending = 1, ""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        pending += line + "\n"
        try:
            parsed = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue  # an array or a string that goes on
        if parsed:
            yield start, pending.strip(), _keys(parsed, is_header=pending.lstrip().startswith("["))
        start, pending = number + 1, ""


def _keys(parsed: object, *, is_header: bool) -> list[str]:
    """Return the dotted key of one parsed statement."""
    keys = []
    while isinstance(parsed, dict) and len(parsed) == 1:
        key, parsed = next(iter(parsed.items()))
        keys.append(key)
        if is_header and isinstance(parsed, list):
            parsed = parsed[0]
    return keys


class _Tables:
    """Which table the next key belongs to, and how many tables each array has."""

    def __init__(self) -> None:
        self._current: Path = ()
        self._counts: dict[Path, int] = {}

    def place(self, source: str, keys: list[str]) -> list[Path]:
        """Return the paths that a statement names: each parent, then itself."""
        if source.startswith("["):
            return self._enter(keys, is_array=source.startswith("[["))
        return [self._current + tuple(keys[:length]) for length in range(1, len(keys) + 1)]

    def _enter(self, keys: list[str], *, is_array: bool) -> list[Path]:
        """Follow a header; a key that names an array of tables means its newest one."""
        path: Path = ()
        named: list[Path] = []
        for position, key in enumerate(keys, start=1):
            path += (key,)
            named.append(path)
            if is_array and position == len(keys):
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path += (self._counts[path] - 1,)
                named.append(path)
        self._current = path
        return named
