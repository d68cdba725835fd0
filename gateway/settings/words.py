"""Values, keys and suggestions, in the words of problems."""

import difflib
import json
import re
from collections.abc import Iterable

_LONGEST = 60
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def quoted(text: str) -> str:
    """Return ``text`` in quotes, shortened, safe to print on a terminal."""
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    escaped = json.dumps(shown, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in escaped)


def described(value: object) -> str:
    """Return a value from TOML as its author knows it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"[{', '.join(map(described, value))}]" if len(value) <= 3 else f"a list of {len(value)}"
    return str(value)


def spelled(path: Iterable[str | int]) -> str:
    """Return a path as one would say it: ``adapters[0].routes[1].topic``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else quoted(part))
    return text or "the file"


def one_of(names: Iterable[str]) -> str:
    """Return the names that are possible, as an expectation."""
    listed = ", ".join(map(quoted, names))
    return f"one of {listed}" if listed else "nothing"


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a suggestion if ``name`` is close to a known one, else nothing."""
    by_form = {_form(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(_form(str(name)), by_form, n=1)
    return f"did you mean {quoted(by_form[close[0]])}?" if close else ""


def _form(name: str) -> str:
    return name.lower().replace("-", "_")
