import pytest

from gateway.decoding.numbers import value_of
from gateway.errors import Rejected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("21.50", 21.5),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551616", 2.0**64),
        ("-9223372036854775809", -(2.0**63)),
        ("9" * 200, float("9" * 200)),
        ("true", True),
        ("FALSE", False),
        ("True", True),
    ],
)
def test_numbers_and_truth(text, value):
    found = value_of("x", text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["1_000", "+1", "007", ".5", "5.", "0x1F", "1e", "٣", "\uff11", "1 2", "21,4", "--1", "on", "null", "infinite"],
)
def test_what_json_does_not_call_a_number_is_text(text):
    assert value_of("x", text) == text


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-Infinity", "+inf", "1e400", "-1e400"])
def test_what_is_not_finite_is_rejected(text):
    with pytest.raises(Rejected) as caught:
        value_of("temperature", text)
    assert caught.value.reason.startswith("temperature: expected a finite number, got")


def test_text_is_bounded():
    assert value_of("x", "y" * 256) == "y" * 256
    with pytest.raises(Rejected) as caught:
        value_of("note", "y" * 257)
    assert caught.value.reason.startswith("note: expected at most 256 characters, got 257")
    assert len(caught.value.reason) < 130
