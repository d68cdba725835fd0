import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import RawMessage, Reading, check_device_id, check_metric_name, encode_body, wire


@pytest.mark.parametrize(
    "name",
    ["a", "Living Room (küche)", "<script>alert(1)</script>".replace("/", ""), '"quoted"', "\U0001f600", "x" * 128],
)
def test_what_can_name_a_device(name):
    assert check_device_id(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is empty"),
        ("x" * 129, "has 129 characters, at most 128 are allowed"),
        (" a", "has blanks at its start or end"),
        ("a\u00a0", "has blanks at its start or end"),
        ("a\nb", "has characters that can't be printed"),
        ("a\u202eb", "has characters that can't be printed"),
        ("a\0", "has characters that can't be printed"),
        ("a/b", "has one of / + #"),
        ("a+b", "has one of / + #"),
        ("#", "has one of / + #"),
    ],
)
def test_what_can_not_name_a_device(name, words):
    with pytest.raises(ValueError) as caught:
        check_device_id(name)
    assert str(caught.value) == words


@pytest.mark.parametrize("name", ["a", "AM2301.Temperature", "power.0", "CO₂ [ppm]", "a/b", " ", "x" * 256])
def test_what_can_name_a_metric(name):
    assert check_metric_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 257, "a\nb", "\0"])
def test_what_can_not_name_a_metric(name):
    with pytest.raises(ValueError):
        check_metric_name(name)


def test_a_reading_on_the_wire():
    values = {"temperature": 71.4, "open": False, "küche": 'say "hi"'}
    reading = Reading("kitchen", 1767225600.25, values, encode_body(1767225600.25, values))
    assert reading.wire().startswith(b'{"seq":null,"ts":')
    reading.seq = 1043
    assert json.loads(reading.wire()) == {"seq": 1043, "ts": 1767225600.25, "values": values}
    assert wire(1043, reading.body) == reading.wire()


VALUES = st.dictionaries(
    st.text(max_size=20),
    st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@given(ts=st.floats(0.0, 4e9), values=VALUES)
def test_a_body_is_the_json_of_its_parts(ts, values):
    body = encode_body(ts, values)
    assert body == orjson.dumps({"ts": ts, "values": values})
    assert encode_body(ts, values, retained=True) == body[:-1] + b',"retained":true}'


def test_a_message_expects_no_answer_unless_told():
    message = RawMessage(b"", 0.0)
    message.settle()
    assert not message.acknowledged
