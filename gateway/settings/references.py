"""``${NAME}`` and ``${credential:NAME}`` in the texts of a configuration: what stands elsewhere, and is put in."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath

from gateway.secrets import Secrets
from gateway.settings.problems import Complaint
from gateway.settings.toml_lines import Path
from gateway.settings.words import quoted

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what ``LoadCredential=`` and ``SetCredential=`` name, for the service alone."""
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_CREDENTIAL = re.compile(r"credential:([\w.@-]+)", re.ASCII)
_SHOWN = frozenset({"name", "type", "host", "topic", "device", "profile"})
"""Keys of an adapter whose values everybody sees anyway."""
_MOST_BYTES = 1024 * 1024
"""Of a credential, as systemd has it."""


class Unresolved(Exception):
    """There is nothing to put in; says what was expected, and what may help."""

    def __init__(self, expected: str, hint: str) -> None:
        self.expected = expected
        self.hint = hint
        super().__init__(expected)


class References:
    """Puts in what texts refer to.

    Parameters
    ----------
    environ
        The variables.
    secrets
        Learns what was put in, and is not to be seen.
    elsewhere
        Whether this is another process than the service, which alone has its credentials: a reference to one is
        then left as it is.
    """

    def __init__(self, environ: Mapping[str, str], secrets: Secrets, *, elsewhere: bool = False) -> None:
        self.secrets = secrets
        self._environ = environ
        self._without_credentials = elsewhere and CREDENTIALS not in environ

    def expand(self, value: object, complain: Callable[[Path, Complaint], object], at: Path = ()) -> object:
        """Return ``value`` with all texts in it expanded; of what can't be, ``complain``, and leave it."""
        if isinstance(value, dict):
            return {key: self.expand(each, complain, (*at, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.expand(each, complain, (*at, index)) for index, each in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            return _REFERENCE.sub(lambda found: self._put_in(found, at), value)
        except Unresolved as error:
            complain(at, Complaint((), error.expected, quoted(value), error.hint))
            return value

    def _put_in(self, found: re.Match[str], at: Path) -> str:
        name = found[1]
        if name is None:
            return "${"  # was $${
        if credential := _CREDENTIAL.fullmatch(name):
            text = self._credential(credential[1], found[0])
        elif _NAME.fullmatch(name):
            text = self._variable(name, found[0])
        else:
            raise Unresolved("${NAME} or ${credential:NAME}", "a ${ that is meant so is written $${")
        if text != found[0] and (credential or _is_secret(at)):
            self.secrets.add(text, found[0])
        return text

    def _variable(self, name: str, reference: str) -> str:
        if name == CREDENTIALS and self._without_credentials:
            return reference
        if name not in self._environ:
            raise Unresolved("a variable that is set", f"the environment has no {name}")
        return self._environ[name]

    def _credential(self, name: str, reference: str) -> str:
        if self._without_credentials:
            return reference
        folder = self._environ.get(CREDENTIALS)
        remedy = f"LoadCredential={name}:/path/of/its/file in the service's unit makes it one"
        if folder is None:
            raise Unresolved("a credential of the service", f"systemd has given this process none; {remedy}")
        try:
            with (FilePath(folder) / name).open("rb") as file:
                return file.read(_MOST_BYTES).decode().rstrip("\r\n")
        except FileNotFoundError:
            raise Unresolved("a credential of the service", f"there is none of this name; {remedy}") from None
        except (OSError, UnicodeDecodeError) as error:
            cause = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise Unresolved("a credential of the service", f"it can't be read: {(cause or '').lower()}") from error


def _is_secret(at: Path) -> bool:
    """Tell whether what comes from the environment here may be a secret: in an adapter's table, but for some keys."""
    key = next((part for part in reversed(at) if isinstance(part, str)), "")
    return at[:1] == ("adapters",) and key not in _SHOWN
