"""Text that may be a number: one rule for all the decoders of text."""

import math
import re

from gateway.decoding.words import shown
from gateway.errors import Rejected
from gateway.model import MAX_TEXT, Value

# A number is what JSON calls a number (RFC 8259, section 6), so 007, +1, 1_000 and ٣ are text.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_WORDS = {"true": True, "false": False}
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_INT_DIGITS = 20  # of the longest integer that JSON encoders take: 64 bits


def value_of(name: str, text: str) -> Value:
    """Return the number, true or false (in any case) that ``text`` spells, else ``text`` itself.

    A whole number of more than 64 bits becomes a float, as it does in JSON.

    Raises
    ------
    Rejected
        ``text`` spells a number that isn't finite, or is too long; the reason starts with ``name``.
    """
    if len(text) > MAX_TEXT:
        raise Rejected(f"{name}: expected at most {MAX_TEXT} characters, got {len(text)}: {shown(text)}")
    match = _NUMBER.fullmatch(text)
    if match:
        return _number(name, text, whole=match[1] is None and match[2] is None)
    if _NOT_FINITE.fullmatch(text):
        raise Rejected(f"{name}: expected a finite number, got {shown(text)}")
    return _WORDS.get(text.lower(), text)


def _number(name: str, text: str, *, whole: bool) -> int | float:
    if whole and len(text) <= _INT_DIGITS and _INT_MIN <= (integer := int(text)) <= _INT_MAX:
        return integer
    number = float(text)
    if not math.isfinite(number):
        raise Rejected(f"{name}: expected a finite number, got {shown(text)}")
    return number
