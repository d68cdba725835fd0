"""A JSON object is a reading; an array of objects is several."""

import orjson

from gateway.decoding.flatten import Fields, flatten, is_flat
from gateway.decoding.text import text_of
from gateway.decoding.twice import check_keys
from gateway.decoding.words import shown
from gateway.errors import Rejected

MAX_READINGS = 10_000
MAX_VALUES = 65_536
"""Of one message: flattening repeats names, so that small messages could take much memory."""


def decode(payload: bytes) -> list[Fields]:
    """Return the flat fields of each object.

    Raises
    ------
    Rejected
        The payload isn't strict JSON in UTF-8 (NaN, Infinity and 1e400 are none), isn't an object
        or an array of objects, has a key twice in one object, or goes past a bound.
    """
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise Rejected(f"not JSON: {_flaw(payload, error)}") from error
    if type(document) is dict and len(document) == payload.count(b":") and is_flat(document):
        return [document]  # as most are: each key has a colon, so none was lost
    readings = [flatten(document)] if type(document) is dict else _several(document)
    check_keys(payload, document)  # last: what is nested too deep for a second look is rejected by now
    return readings


def _flaw(payload: bytes, error: orjson.JSONDecodeError) -> str:
    if not payload:
        return "the payload is empty"
    try:
        text_of(payload)
    except Rejected as flaw:
        return flaw.reason  # it names the byte
    return str(error)


def _several(documents: object) -> list[Fields]:
    if not isinstance(documents, list):
        text = f'expected an object or an array of objects, got {shown(documents)}; decode = "value" takes it'
        raise Rejected(text)
    if not documents:
        raise Rejected("no values")
    if len(documents) > MAX_READINGS:
        raise Rejected(f"{len(documents)} readings, at most {MAX_READINGS} are taken at once")
    readings: list[Fields] = []
    values = 0
    for number, document in enumerate(documents, 1):
        readings.append(_one(number, document))
        values += len(readings[-1])
        if values > MAX_VALUES:
            raise Rejected(f"more than {MAX_VALUES} values in one message")
    return readings


def _one(number: int, document: object) -> Fields:
    if not isinstance(document, dict):
        raise Rejected(f"reading {number}: expected an object, got {_kind(document)}")
    try:
        return flatten(document)
    except Rejected as error:
        raise Rejected(f"reading {number}: {error.reason}") from error


def _kind(document: object) -> str:
    return "an array" if isinstance(document, list) else shown(document)
