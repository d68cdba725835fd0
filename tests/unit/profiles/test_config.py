import math

import pytest
from pydantic import ValidationError

from gateway.profiles import ProfileConfig, build


def refusal(**table):
    with pytest.raises(ValidationError) as caught:
        ProfileConfig.model_validate(table)
    (details,) = caught.value.errors()
    return details["msg"].removeprefix("Value error, ")


def metric_refusal(**metric):
    return refusal(metrics={"x": metric})


def test_the_table_of_the_contract():
    config = ProfileConfig.model_validate(
        {
            "extra": "allow",
            "metrics": {
                "temperature": {
                    "type": "float",
                    "unit": "°C",
                    "label": "Air temperature",
                    "min": -40,
                    "max": 85,
                    "required": True,
                    "scale": 1.0,
                    "offset": 0.0,
                }
            },
        }
    )
    profile = build("climate", config)
    assert profile.name == "climate"
    assert profile.metrics["temperature"].describe() == {
        "type": "float",
        "unit": "°C",
        "label": "Air temperature",
        "min": -40.0,
        "max": 85.0,
    }


def test_what_is_not_known_of_a_metric_is_left_out():
    profile = build("x", ProfileConfig.model_validate({"metrics": {"a": {}, "b": {"type": "bool"}, "c": {"min": 0}}}))
    assert [info.describe() for info in profile.metrics.values()] == [
        {"type": "float"},
        {"type": "bool"},
        {"type": "float", "min": 0.0},
    ]


def test_unknown_keys_are_refused():
    assert "not permitted" in refusal(metric={})
    assert "not permitted" in metric_refusal(minimum=1)
    assert "'float', 'int', 'bool' or 'str'" in metric_refusal(type="number")
    assert "'allow', 'ignore' or 'forbid'" in refusal(extra="drop")
    assert "is empty" in refusal(metrics={"": {}})


def test_ranges_and_scales_must_make_sense():
    assert metric_refusal(min=90, max=85) == "min: expected at most max, 85, got 90"
    assert metric_refusal(scale=0) == "scale: expected another number than 0, got 0"
    assert metric_refusal(type="int", scale=0.1).startswith("scale: expected a whole number, got 0.1")
    assert metric_refusal(type="int", offset=0.5).startswith("offset: expected a whole number, got 0.5")
    assert "finite" in metric_refusal(max=math.inf)
    assert "finite" in metric_refusal(scale=math.nan)


@pytest.mark.parametrize("kind", ["bool", "str"])
@pytest.mark.parametrize("key", ["min", "max", "scale", "offset"])
def test_only_numbers_have_a_range_and_a_scale(kind, key):
    assert metric_refusal(type=kind, **{key: 1}) == f'{key}: expected only with type = "float" or "int"'


def test_a_model_comes_alone():
    assert refusal(model="a:B", metrics={"x": {}}) == "metrics: expected only without model; the class says it"
    assert refusal(model="a:B", extra="forbid") == "extra: expected only without model; the class says it"


@pytest.mark.parametrize("extra", ["ignore", "forbid"])
def test_a_profile_that_takes_nothing_is_refused(extra):
    assert refusal(extra=extra) == f'metrics: expected at least one, as extra = "{extra}" takes no others'


def test_every_key_is_described():
    schema = ProfileConfig.model_json_schema()
    tables = [schema, *schema["$defs"].values()]
    undescribed = [key for table in tables for key, field in table["properties"].items() if "description" not in field]
    assert not undescribed
