import pytest

from gateway.errors import Rejected
from gateway.profiles import ANY


def reason(fields):
    with pytest.raises(Rejected) as caught:
        ANY.validate(fields)
    return caught.value.reason


def test_any_metric_is_taken():
    fields = {"a": 1, "b": 2.5, "c": True, "d": "x" * 256, "e": 2**64 - 1, "f": -(2**63), "g h": 0}
    assert ANY.validate(dict(fields)) == fields
    assert len(ANY.validate({str(n): n for n in range(256)})) == 256


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x" * 257, "expected at most 256 characters, got 257"),
        (float("nan"), "expected a finite number, got nan"),
        (float("-inf"), "expected a finite number, got -inf"),
        (2**64, "expected a whole number of at most 64 bits, got 18446744073709551616"),
        (None, "expected a number, true or false, or text, got null"),
        ([1], "expected a number, true or false, or text, got [1]"),
    ],
)
def test_other_values_are_not(value, words):
    assert reason({"x": value}).startswith(f"x: {words}")


def test_names_and_their_number_are_bounded():
    assert reason({"": 1}) == 'metric name: is empty: ""'
    assert reason({"x" * 300: 1}).startswith("metric name: has 300 characters, at most 256 are allowed")
    assert reason({str(n): n for n in range(257)}) == "257 metrics, at most 256 are taken"
