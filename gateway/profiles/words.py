"""What pydantic found wrong with a reading, in words for the sensor's owner."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.decoding.words import shown

_MOST = 3
_EXPECTED = {
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_from_float": "a whole number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "list_type": "an array",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "extra_forbidden": "only what the profile names",
}
SAYS_FOUND = "scaled"
"""Type of an error whose message is complete, with what was found."""
_PREFIX = "Input should be "


def reason_of(error: ValidationError) -> str:
    """Return the first three problems as ``field: expected this, got that``, and how many more there are."""
    problems = [_problem(details) for details in error.errors(include_url=False)]
    more = [f"and {len(problems) - _MOST} more"] if len(problems) > _MOST else []
    return "; ".join(problems[:_MOST] + more)


def number(value: object) -> str:
    """Return a number without the zero and the noise of floats: 85.0 is ``85``, 0.1 * 3 is ``0.3``."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _problem(details: ErrorDetails) -> str:
    field = ".".join(map(str, details["loc"]))
    if details["type"] == "missing":
        return f"{field}: expected a value, got nothing"
    found = "" if details["type"] == SAYS_FOUND else f", got {shown(details['input'])}"
    text = _expectation(details) + found
    return f"{field}: {text}" if field else text


def _expectation(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    if details["type"] in _EXPECTED:
        return "expected " + _EXPECTED[details["type"]].format_map(_numbers(context))
    if isinstance(own := context.get("error"), Exception):  # a validator of the user's: in its author's words
        return str(own) or "expected another value"
    message = details["msg"]
    return f"expected {message.removeprefix(_PREFIX)}" if message.startswith(_PREFIX) else message


def _numbers(context: Mapping[str, Any]) -> dict[str, str]:
    return {name: number(value) for name, value in context.items()}
