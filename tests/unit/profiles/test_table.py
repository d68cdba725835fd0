import pytest

from gateway.errors import Rejected
from gateway.profiles import ANY, ProfileConfig, build


def profile(extra="allow", **metrics):
    return build("climate", ProfileConfig.model_validate({"extra": extra, "metrics": metrics}))


def reason(profile, **fields):
    with pytest.raises(Rejected) as caught:
        profile.validate(fields)
    return caught.value.reason


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("float", 21.5, 21.5),
        ("float", 21, 21.0),
        ("int", 21, 21),
        ("int", 21.0, 21),
        ("int", 2**64 - 1, 2**64 - 1),
        ("bool", True, True),
        ("str", "on", "on"),
        ("str", "", ""),
        ("str", "x" * 256, "x" * 256),
    ],
)
def test_values_of_each_type(kind, given, kept):
    values = profile(x={"type": kind}).validate({"x": given})
    assert values == {"x": kept}
    assert type(values["x"]) is type(kept)


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("float", "21,4", 'expected a number, got "21,4"'),
        ("float", "21.4", 'expected a number, got "21.4"'),
        ("float", True, "expected a number, got true"),
        ("int", 21.5, "expected a whole number, got 21.5"),
        ("int", "21", 'expected a whole number, got "21"'),
        ("int", False, "expected a whole number, got false"),
        ("bool", 1, "expected true or false, got 1"),
        ("bool", "true", 'expected true or false, got "true"'),
        ("str", 5, "expected text, got 5"),
        ("str", "x" * 257, f'expected at most 256 characters, got "{"x" * 58}…'),
    ],
)
def test_types_are_strict(kind, given, words):
    assert reason(profile(temperature={"type": kind}), temperature=given) == f"temperature: {words}"


@pytest.mark.parametrize("given", [float("nan"), float("inf")])
@pytest.mark.parametrize("scale", [1, 2])
def test_numbers_are_finite(given, scale):
    assert reason(profile(x={"scale": scale}), x=given).startswith("x: expected a finite number, got ")


def test_ranges_include_their_ends():
    climate = profile(temperature={"min": -40, "max": 85}, count={"type": "int", "min": 1, "max": 9})
    assert climate.validate({"temperature": 85, "count": 1}) == {"temperature": 85.0, "count": 1}
    assert reason(climate, temperature=120.5) == "temperature: expected at most 85, got 120.5"
    assert reason(climate, temperature=-40.5) == "temperature: expected at least -40, got -40.5"
    assert reason(climate, count=0) == "count: expected at least 1, got 0"


def test_scale_and_offset_come_before_the_range():
    fahrenheit = profile(t={"scale": 0.1, "offset": -4, "min": -40, "max": 85})
    assert fahrenheit.validate({"t": 250}) == {"t": 21.0}
    assert fahrenheit.validate({"t": 890}) == {"t": 85.0}
    assert reason(fahrenheit, t=1245) == "t: expected at most 85, got 120.5 (scaled from 1245)"
    assert reason(fahrenheit, t=-500) == "t: expected at least -40, got -54 (scaled from -500)"
    assert reason(fahrenheit, t="250") == 't: expected a number, got "250"'


def test_whole_numbers_stay_whole_when_scaled():
    pulses = profile(energy={"type": "int", "scale": 1000, "offset": 7})
    values = pulses.validate({"energy": 3.0})
    assert values == {"energy": 3007}
    assert type(values["energy"]) is int


def test_what_scaling_makes_too_large_is_rejected():
    assert "scaled from" in reason(profile(x={"scale": 1e308}), x=1e300)
    assert "scaled from" in reason(profile(x={"type": "int", "scale": 1000}), x=2**62)


def test_required():
    climate = profile(temperature={"required": True}, humidity={})
    assert climate.validate({"temperature": 1.0}) == {"temperature": 1.0}
    assert reason(climate, humidity=1.0) == "temperature: expected a value, got nothing"


def test_metrics_that_it_does_not_name():
    fields = {"temperature": 1.0, "battery": 3}
    assert profile(temperature={}).validate(dict(fields)) == fields
    assert profile("ignore", temperature={}).validate(dict(fields)) == {"temperature": 1.0}
    assert reason(profile("forbid", temperature={}), **fields) == "battery: expected only what the profile names, got 3"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("note", "x" * 257, "note: expected at most 256 characters, got 257"),
        ("note", float("inf"), "note: expected a finite number"),
        ("", 1, "metric name: is empty"),
        ("x" * 257, 1, "metric name: has 257 characters"),
        ("a\nb", 1, "metric name: has characters that can't be printed"),
    ],
)
def test_what_it_does_not_name_is_bounded_too(name, value, words):
    assert reason(profile(temperature={}), **{name: value}).startswith(words)


@pytest.mark.parametrize("name", ["a.b", "class", "_x", "__x", "schema", "küche", "a b", "model_config", "0", "items"])
def test_any_name_can_be_a_metrics(name):
    named = profile("forbid", **{name: {"max": 1, "required": True}})
    assert named.validate({name: 1}) == {name: 1.0}
    assert reason(named, **{name: 2}) == f"{name}: expected at most 1, got 2"


def test_three_problems_are_told_and_the_others_counted():
    climate = profile(**{name: {"required": True} for name in "abcde"})
    assert reason(climate, a="x", b=1, c="y").startswith('a: expected a number, got "x"; c: ')
    assert reason(climate, a="x", b=1, c="y").endswith("d: expected a value, got nothing; and 1 more")
    assert "more" not in reason(climate, a=1, b=1)


def test_text_metrics_are_known_to_the_decoders():
    assert profile(a={"type": "str"}, b={}).text_fields == {"a"}


def test_what_is_left_out_without_a_word():
    fields = {"a": 1, "b": 2, "c": 3}
    assert profile("ignore", b={}).left_out(fields) == ("a", "c")
    assert profile("allow", b={}).left_out(fields) == ()
    assert ANY.left_out(fields) == ()
