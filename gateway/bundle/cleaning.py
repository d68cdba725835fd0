"""Taking secrets out of whatever goes into a bundle: the configuration's, those it refers to, those in its comments."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.configuration import load
from gateway.errors import ConfigError
from gateway.secrets import Secrets, hide_value, is_secret_key
from gateway.settings import drop_ins

_MOST_BYTES = 64 * 1024
_MOST_TEXTS = 10_000
"""All lines of some twenty keys with their certificates, each in two ways of writing it."""
_SECRET_FILE = re.compile(r"\w*(?:pass|pwd|secret|token|credential|key)\w*_file", re.IGNORECASE)
_LEFT_OUT = "# left out: it can't be read as TOML, so nobody can say where in it a secret ends\n"


class Cleaning:
    """Knows what to hide, and hides it.

    Parameters
    ----------
    config
        gateway.toml; None: there is none.
    """

    def __init__(self, config: Path | None) -> None:
        self._secrets = Secrets(_MOST_TEXTS)
        self._files = _files(config)

    def learn(self) -> None:
        """Read the configuration, and the files with secrets that it names, as far as they can be read."""
        if not self._files:
            return
        with suppress(ConfigError):  # what is wrong with it is in the bundle; what was found until then is known
            found = load(self._files[0], secrets=self._secrets, elsewhere=True)
            for path in (path for _, adapter in found.adapters for path in adapter.secret_files().values()):
                self._learn_file(path)
        for file in self._files:
            for value in _named_secrets(_parsed(file)):
                self._secrets.add(value, "…")
            for name in _named_files(_parsed(file)):
                self._learn_file(file.parent / name)

    def _learn_file(self, path: Path) -> None:
        with suppress(OSError), path.open("rb") as file:
            lines = file.read(_MOST_BYTES).decode(errors="replace").splitlines()
            secret = [line.strip() for line in lines if not line.startswith("-----")]
            self._secrets.add("\n".join(secret), "…")  # at once: each time costs as much as there is by then

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        return self._secrets.hide(text)

    def value(self, value: object) -> object:
        """Return JSON without secrets in its texts."""
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return self.text(value) if isinstance(value, str) else value

    def configuration(self) -> dict[str, str]:
        """Return the files of the configuration by name, each line of which shows no secret."""
        return {self._name(file): self._shown(file) for file in self._files}

    def _name(self, file: Path) -> str:
        return file.name if file == self._files[0] else f"conf.d/{file.name}"

    def _shown(self, file: Path) -> str:
        if _parsed(file) is None:
            return _LEFT_OUT
        text = self.text(file.read_text(encoding="utf-8-sig"))
        return "\n".join(hide_value(line) for line in text.split("\n"))


def _files(config: Path | None) -> Sequence[Path]:
    try:
        return (config, *drop_ins(config)) if config is not None and config.exists() else ()
    except (ConfigError, OSError):
        return ()  # the folder is closed to whoever asks, which doctor says


def _parsed(file: Path) -> object:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return None


def _named_secrets(value: object, *, is_secret: bool = False) -> Iterator[str]:
    """Yield what stands under keys whose names say that it is a secret, over however many lines."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _named_secrets(each, is_secret=is_secret or is_secret_key(str(key)))
    elif isinstance(value, list):
        for each in value:
            yield from _named_secrets(each, is_secret=is_secret)
    elif is_secret and not isinstance(value, bool) and "${" not in str(value):
        yield str(value)


def _named_files(value: object) -> Iterator[str]:
    """Yield the files whose names stand under keys that say so, also where the rest can't be used."""
    if isinstance(value, list):
        for each in value:
            yield from _named_files(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str) and _SECRET_FILE.fullmatch(key):
                yield each
            else:
                yield from _named_files(each)
