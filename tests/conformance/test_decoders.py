"""What every decoder promises, for all in ``DECODERS``: a new one joins by being listed there."""

import math
import tracemalloc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decoding import DECODERS, MAX_PAYLOAD, make_decoder
from gateway.errors import Rejected

pytestmark = pytest.mark.parametrize("name", sorted(DECODERS))

words = 'null true NaN -inf 1e400 1e5 0 -1 1_0 a a.b "a" {"a":1} ü٣ " \\ { } [ ] : , = \0'
tokens = st.sampled_from([*words.encode().split(), b" ", b"\n", b"\xff", b"9" * 400])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)
payloads = st.binary(max_size=200) | st.lists(tokens, max_size=40).map(b"".join) | json_values.map(orjson.dumps)


def decode(name, payload):
    return make_decoder(name, columns=("a", "", "b"))(payload)


@given(payload=payloads)
def test_whatever_the_bytes_it_gives_plain_fields_or_rejects_in_words(name, payload):
    try:
        readings = decode(name, payload)
    except Rejected:
        return
    assert readings
    for fields in readings:
        for key, value in fields.items():
            assert type(key) is str
            assert type(value) in {bool, int, float, str}
            assert not isinstance(value, float) or math.isfinite(value)
            assert not isinstance(value, int) or -(2**63) <= value < 2**64


@given(payload=payloads)
def test_what_was_decoded_is_its_callers(name, payload):
    # Intake takes fields out of what it is given: another message must not notice.
    decoder = make_decoder(name, columns=("a", "", "b"))
    try:
        first = decoder(payload)
    except Rejected:
        return
    copy = [dict(fields) for fields in first]
    for fields in first:
        fields.clear()
    assert decoder(payload) == copy


def test_the_largest_payload_takes_bounded_memory(name):
    for part in (b"[", b'{"a":', b"a=1,", b'"', b"1,", b"\\", b"x", b"9"):
        tracemalloc.start()
        try:
            with pytest.raises(Rejected):
                decode(name, (part * MAX_PAYLOAD)[:MAX_PAYLOAD])
            assert tracemalloc.get_traced_memory()[1] < 64 * MAX_PAYLOAD
        finally:
            tracemalloc.stop()


def test_a_payload_that_is_too_long_is_rejected_unread(name):
    with pytest.raises(Rejected, match=r"payload of 10485760 bytes, at most 1048576 are taken"):
        decode(name, b"1" * 10_485_760)
