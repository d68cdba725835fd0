"""Payloads as no sensor should send them, and as some do."""

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

_NAMES = st.sampled_from(["temperature", "humidity", "ts", "state", "a.b"]) | st.text(max_size=20)
_NUMBERS = st.integers() | st.floats() | st.integers(-50, 150) | st.floats(-50, 150)
_SCALARS = st.none() | st.booleans() | _NUMBERS | st.text(max_size=300)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=20
)
_PLAUSIBLE = st.dictionaries(st.sampled_from(["temperature", "humidity"]), _NUMBERS, min_size=1)
_OBJECTS = st.dictionaries(_NAMES, _VALUES, max_size=8)
_LONG = st.integers(4000, 9000).map(b'{"temperature": 70}'.rjust)
"""Around the size up to which a refused payload is kept whole."""
_DEEP = st.integers(1, 2000).map(lambda depth: b"[" * depth + b"]" * depth)


def _encode(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def _bent(draw: st.DrawFn) -> bytes:
    """Return JSON in which some bytes are others, missing or more."""
    data = _encode(draw(_OBJECTS))
    at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
    return data[:at] + draw(st.binary(max_size=8)) + data[end:]


PAYLOADS = (
    _PLAUSIBLE.map(_encode)
    | _OBJECTS.map(_encode)
    | st.lists(_PLAUSIBLE, max_size=5).map(_encode)
    | _VALUES.map(_encode)
    | _bent()
    | st.binary(max_size=6000)
    | _DEEP
    | _LONG
)


def make(count: int, seed: int) -> list[bytes]:
    """Return ``count`` payloads that follow from ``seed``."""
    made: list[bytes] = []

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PAYLOADS)
    def keep(payload: bytes) -> None:
        made.append(payload)

    keep()
    while len(made) < count:  # hypothesis may stop early where it thinks that it has seen all
        made += make(count - len(made), seed + len(made))
    return made[:count]
