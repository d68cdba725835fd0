"""Payloads to flat fields: what a message says, not yet whether it is right. One file a decoder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.decoding import json_object
from gateway.decoding.csv_columns import CsvDecoder
from gateway.decoding.flatten import Fields
from gateway.decoding.kv import KvDecoder
from gateway.decoding.value import ValueDecoder
from gateway.errors import Rejected

MAX_PAYLOAD = 1 << 20
"""Bytes; a longer payload isn't even parsed."""

Decoder = Callable[[bytes], list[Fields]]
"""Takes a payload; returns the fields of each reading in it: names to finite numbers, booleans and text.

Raises ``Rejected`` and nothing else, whatever the bytes.
"""


@dataclass(frozen=True, slots=True)
class _Options:
    columns: Sequence[str]
    metric: str
    verbatim: frozenset[str]


DECODERS: Mapping[str, Callable[[_Options], Decoder]] = MappingProxyType(
    {
        "json": lambda _: json_object.decode,
        "value": lambda options: ValueDecoder(options.metric, options.verbatim),
        "kv": lambda options: KvDecoder(options.verbatim),
        "csv": lambda options: CsvDecoder(options.columns, options.verbatim),
    }
)
"""Every decoder by the name that gateway.toml gives it."""


def make_decoder(
    decode: str,
    *,
    columns: Sequence[str] = (),
    metric: str = "value",
    verbatim: frozenset[str] = frozenset(),
) -> Decoder:
    """Return the decoder of the name ``decode``.

    Parameters
    ----------
    columns
        For ``csv``: the name of each column, ``""`` to skip one.
    metric
        For ``value``: the name of the metric.
    verbatim
        Fields that are text whatever they look like: an address such as ``24e512345678`` is no number.

    Raises
    ------
    ValueError
        There is no such decoder, or it can't work with these columns.
    """
    if decode not in DECODERS:
        raise ValueError(f"no decoder {decode!r}, there are {', '.join(DECODERS)}")
    return _bounded(DECODERS[decode](_Options(columns, metric, verbatim)))


def _bounded(decode: Decoder) -> Decoder:
    def bounded(payload: bytes) -> list[Fields]:
        if len(payload) > MAX_PAYLOAD:
            raise Rejected(f"payload of {len(payload)} bytes, at most {MAX_PAYLOAD} are taken")
        return decode(payload)

    return bounded


__all__ = ["DECODERS", "MAX_PAYLOAD", "Decoder", "Fields", "make_decoder"]
