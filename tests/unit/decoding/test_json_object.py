import json
import tracemalloc

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.decoding import make_decoder
from gateway.errors import Rejected

decode = make_decoder("json")


def reason(payload):
    with pytest.raises(Rejected) as caught:
        decode(payload)
    return caught.value.reason


@pytest.mark.parametrize(
    ("payload", "readings"),
    [
        (b'{"a": 1, "b": 2.5, "c": true, "d": "on"}', [{"a": 1, "b": 2.5, "c": True, "d": "on"}]),
        (b' {"a": 1}\n', [{"a": 1}]),
        (b'{"AM2301": {"Temperature": 21.5}}', [{"AM2301.Temperature": 21.5}]),
        (b'{"power": [1, 2], "x": 3}', [{"power.0": 1, "power.1": 2, "x": 3}]),
        (b'{"a": [{"b": 1}, null, [2]]}', [{"a.0.b": 1, "a.2.0": 2}]),
        (b'{"a": null, "b": 1}', [{"b": 1}]),
        (b'{"a": {}, "b": []}', [{}]),
        (b'[{"a": 1}, {"b": {"c": 2}}]', [{"a": 1}, {"b.c": 2}]),
        ('{"küche": "\U0001f600"}'.encode(), [{"küche": "\U0001f600"}]),
        (b'{"n": 18446744073709551616}', [{"n": 2.0**64}]),
    ],
)
def test_objects_and_arrays_of_objects(payload, readings):
    assert decode(payload) == readings


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"{", b"{'a':1}", b'{"a":1,}', b'{"a":1}{"b":2}', b"\xef\xbb\xbf{}"),
        *(b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e400}', b'{"a":-1e400}', b'{"a":01}', b'{"a":+1}'),
        *(b'{"a":"\xff"}', b'{"\xff":1}', b'{"a":"\\ud800"}'),
    ],
)
def test_only_strict_json_in_utf8_is_taken(payload):
    assert reason(payload).startswith("not JSON: ")


def test_bytes_that_are_no_text_are_named():
    assert reason(b'{"a":"\xff"}') == "not JSON: not UTF-8: byte 0xff at 6"


def test_an_empty_payload_is_called_so():
    assert reason(b"") == "not JSON: the payload is empty"


@pytest.mark.parametrize("payload", [b"21.5", b'"on"', b"true", b"null"])
def test_a_bare_value_is_told_which_decoder_takes_it(payload):
    assert reason(payload) == (
        f'expected an object or an array of objects, got {payload.decode()}; decode = "value" takes it'
    )


def test_arrays_name_the_reading_that_is_wrong():
    assert reason(b"[]") == "no values"
    assert reason(b'[{"a":1},5]') == "reading 2: expected an object, got 5"
    assert reason(b'[{"a":1},[{"a":1}]]') == "reading 2: expected an object, got an array"
    assert reason(b'[{"a":1},{"a.b":1,"a":{"b":2}}]') == "reading 2: a.b: is there twice"


def test_one_name_for_two_values_is_rejected():
    assert reason(b'{"a.b":1,"a":{"b":2}}') == "a.b: is there twice"
    assert reason(b'{"a":[1],"a.0":2}') == "a.0: is there twice"


def nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_depth_is_bounded():
    assert decode(nested(32)) == [{".".join("a" * 32): 1}]
    assert reason(nested(33)) == "nested more than 32 levels deep"
    assert reason(nested(1000)) == "nested more than 32 levels deep"
    assert "nested more than 32" in reason(b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}")
    assert reason(nested(100_000)).startswith("not JSON: ")


def test_counts_are_bounded():
    assert reason(b"[" + b'{"a":1},' * 10_000 + b'{"a":1}]') == "10001 readings, at most 10000 are taken at once"
    assert len(decode(b"[" + b'{"a":1},' * 9_999 + b'{"a":1}]')) == 10_000
    assert reason(orjson.dumps({"a": list(range(300))})) == "more than 256 metrics"
    assert reason(orjson.dumps([{"a": [1] * 200}] * 400)) == "more than 65536 values in one message"
    assert "has 257 characters" in reason(orjson.dumps({"a" * 255: {"b": 1}}))


def test_a_payload_of_10_mb_is_not_parsed():
    assert reason(b"[" * 10_485_760) == "payload of 10485760 bytes, at most 1048576 are taken"
    assert decode(b'{"a":1}'.ljust(1_048_576)) == [{"a": 1}]


def test_repeating_a_long_name_takes_bounded_memory():
    payload = orjson.dumps([{"n" * 250: [1] * 250}] * 1300)
    assert len(payload) < 1_048_576
    tracemalloc.start()
    try:
        with pytest.raises(Rejected):
            decode(payload)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b'{"a": 1, "a": 2}', "a: is there twice"),
        (b'{"a": 1, "a": null}', "a: is there twice"),
        (b'{"a": 1, "\\u0061": 2}', "a: is there twice"),
        (b'{"a": "x:y", "a": "z"}', "a: is there twice"),
        (b'{"a": 1, "a": "\\u003a"}', "a: is there twice"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "b: is there twice"),
        (b'[{"a": 1}, {"a": 1, "a": 1}]', "a: is there twice"),
        (b'{"a": 1, "n": ' + b"9" * 5000 + b', "a": 1}', "not JSON"),
    ],
)
def test_a_key_is_there_once(payload, words):
    assert reason(payload).startswith(words)


def an_object(pairs):
    return "{" + ", ".join(f'"{key}" : {value}' for key, value in pairs) + "}"


keys = st.sampled_from(["a", "b", "a:b", ":", r"\u003a", r"\u0061", "é"])
values = st.recursive(
    st.sampled_from(["1", "null", "true", '"x"', '":"', r'"\u003a"', r'"\u003A:"', '"12:30:00"', "{}", "[]"]),
    lambda inner: st.lists(st.tuples(keys, inner), max_size=4).map(an_object),
    max_leaves=8,
)


@given(pairs=st.lists(st.tuples(keys, values), min_size=1, max_size=5))
@example(pairs=[("a", "1"), ("a", r'"\u003a"')])
def test_no_key_is_lost_unnoticed(pairs):
    lost = []
    text = an_object(pairs)
    json.loads(text, object_pairs_hook=lambda found: lost.append(len(found) - len(dict(found))))
    if any(lost):
        assert reason(text.encode()).endswith("is there twice")
    else:
        assert decode(text.encode())
