"""What the configuration knows and nobody is to see: in no log, no status and no answer."""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

_LEAST = 4
"""Characters of a secret: hiding a shorter one would make every text unreadable, and hide nothing."""
_MOST = 1000
"""Texts that a gateway hides as long as it runs: each reload may bring new ones."""
_USERINFO = re.compile(r"(://)[^\s/@\"]*:[^\s/\"]*@")
"""Name and password in an address."""
_KEY = r"\b\w*(?:pass|pwd|secret|token|credential)\w*(?<!_file)"
_NAMED = re.compile(rf"({_KEY}[\"']?\s*=).*", re.IGNORECASE | re.DOTALL)
_SECRET_KEY = re.compile(rf"(?:.*\W)?{_KEY}", re.IGNORECASE)


class Secrets:
    """Texts that are hidden, each with what is shown in its place; any thread may hide.

    Parameters
    ----------
    most
        Texts that are hidden; past it the oldest is forgotten.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._shown: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str, shown: str) -> None:
        """Hide ``secret`` from now on, and each line of it, as it is and as it is written elsewhere."""
        for line in (secret, *secret.splitlines()):
            for form in _forms(line):
                self._shown.pop(form, None)  # what is known already is the newest again
                self._shown[form] = shown
        while len(self._shown) > self._most:
            del self._shown[next(iter(self._shown))]
        longest_first = sorted(self._shown, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def hide(self, text: str) -> str:
        """Return ``text`` without secrets, and without the passwords in addresses."""
        if self._pattern is not None:
            text = self._pattern.sub(lambda found: self._shown.get(found[0], "…"), text)
        return hide_userinfo(text)


def _forms(text: str) -> Iterator[str]:
    """Yield how a text looks by itself, in JSON, in Python and in an address, as far as that is long enough."""
    quoted = (
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        quote(text, safe=""),
    )
    yield from (form for form in (text, *quoted) if len(form) >= _LEAST)


def hide_userinfo(text: str) -> str:
    """Return ``text`` without what stands before the @ of an address."""
    return _USERINFO.sub(r"\1…@", text) if "://" in text else text


def hide_value(line: str) -> str:
    """Return a line of a TOML text that may be broken, without what is assigned to a key whose name says "secret"."""
    return hide_userinfo(_NAMED.sub(r"\1 …", line))


def is_secret_key(key: str) -> bool:
    """Tell whether the name of a key says that its value is a secret; of a file with one it is not."""
    return _SECRET_KEY.fullmatch(key) is not None


def has_password(text: str) -> bool:
    """Tell whether an address in ``text`` has a password."""
    return _USERINFO.search(text) is not None
