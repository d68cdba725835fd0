"""The bounds that hold for every value, with or without a profile."""

import math

from gateway.decoding.words import shown
from gateway.errors import Rejected
from gateway.model import MAX_METRICS, MAX_TEXT, Value, check_metric_name
from gateway.profiles.profile import Profile

INT_MIN, INT_MAX = -(2**63), 2**64 - 1
"""What JSON encoders take."""


class AnyProfile(Profile):
    """Takes any metric."""

    def validate(self, fields: dict[str, object]) -> dict[str, Value]:
        """Return ``fields`` if they are plain."""
        return plain(fields)


ANY: Profile = AnyProfile("", {})
"""What applies where no profile is configured."""


def plain(fields: dict[str, object]) -> dict[str, Value]:
    """Return ``fields`` if they are metrics that can be kept, sent and shown.

    Raises
    ------
    Rejected
        There are more than 256, or a name or a value is none.
    """
    if len(fields) > MAX_METRICS:
        raise Rejected(f"{len(fields)} metrics, at most {MAX_METRICS} are taken")
    return {check_name(name): check_value(name, value) for name, value in fields.items()}


def check_name(name: str) -> str:
    """Return ``name`` if it can name a metric; else raise ``Rejected``."""
    try:
        return check_metric_name(name)
    except ValueError as error:
        raise Rejected(f"metric name: {error}: {shown(name)}") from error


def check_value(name: str, value: object) -> Value:
    """Return ``value`` if it is a finite number, a boolean or a short text; else raise ``Rejected``."""
    if isinstance(value, str):
        if len(value) <= MAX_TEXT:
            return value
        raise Rejected(f"{name}: expected at most {MAX_TEXT} characters, got {len(value)}: {shown(value)}")
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise Rejected(f"{name}: expected a finite number, got {value}")
    if isinstance(value, int):  # bool is one
        if INT_MIN <= value <= INT_MAX:
            return value
        raise Rejected(f"{name}: expected a whole number of at most 64 bits, got {shown(value)}")
    raise Rejected(f"{name}: expected a number, true or false, or text, got {shown(value)}")
