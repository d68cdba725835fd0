"""What was found, in words for the sensor's owner."""

from typing import Any

import orjson

_MAX_SHOWN = 60
_MAX_REASON = 500


def shown(value: object) -> str:
    """Return ``value`` as JSON on one line, shortened to 60 characters."""
    if isinstance(value, str):
        value = value[: _MAX_SHOWN + 1]  # JSON only makes it longer
    try:
        text = orjson.dumps(value, default=_foreign, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a surrogate, more than 64 bits, too deep: possible in the results of a user's model
        text = ascii(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def one_line(reason: str) -> str:
    """Return ``reason`` without characters that can't be printed, and at most 500 of them."""
    if len(reason) > _MAX_REASON:
        reason = f"{reason[: _MAX_REASON - 1]}…"
    if reason.isprintable():
        return reason
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in reason)


def _foreign(value: Any) -> str:
    return repr(value)[:_MAX_SHOWN]
