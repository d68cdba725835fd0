"""One file of a configuration: the main one, or one of conf.d."""

from functools import cached_property
from pathlib import Path

from gateway.settings import source, toml_lines


class Part:
    """A TOML file, and on which line a key of it stands.

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
        self.data = source.parse(path, text)

    @classmethod
    def read(cls, path: Path) -> "Part":
        """Read a file; raises ``ConfigError`` if it can't be read, isn't UTF-8, or isn't TOML."""
        return cls(path, source.read(path))

    def line(self, at: toml_lines.Path) -> int | None:
        """Return the line on which ``at``, or the nearest table around it, begins."""
        return toml_lines.nearest_line(self._lines, at)

    def where(self, at: toml_lines.Path) -> str:
        """Return file and line of ``at``, or the file where no line can be named."""
        line = self.line(at)
        return f"{self.path}:{line}" if line else str(self.path)

    @cached_property
    def _lines(self) -> dict[toml_lines.Path, int]:
        return toml_lines.key_lines(self._text)
