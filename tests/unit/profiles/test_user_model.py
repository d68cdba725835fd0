import sys
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from types import ModuleType
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, field_validator, model_validator

from gateway.errors import Rejected
from gateway.profiles import ProfileConfig, build


class State(Enum):
    ON = "on"
    OFF = "off"


class Wind(BaseModel):
    speed: float
    gusts: list[float] = []


class Weather(BaseModel):
    """One of a user's own."""

    model_config = ConfigDict(populate_by_name=True)

    temperature: float = Field(ge=-40, le=85, title="Air temperature", json_schema_extra={"unit": "°C"})
    humidity: float | None = Field(None, alias="AM2301.Humidity", gt=0, lt=100)
    count: int = 0
    rain: bool | None = None
    state: State | None = None
    mode: Literal["a", "b"] | None = None
    note: str | None = None
    cost: Decimal | None = None
    at: datetime | None = None
    wind: Wind | None = None

    @field_validator("note")
    @classmethod
    def _check_note(cls, note):
        if note == "bad":
            raise ValueError("notes must be good")
        return note

    @model_validator(mode="after")
    def _check_all(self):
        if self.count == 13:
            raise ValueError("13 brings bad luck")
        return self

    @computed_field(title="Kelvin", json_schema_extra={"unit": "K"})
    @property
    def kelvin(self) -> float:
        return self.temperature + 273.15


class Root(RootModel[dict[str, float]]):
    pass


class Odd(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    thing: ModuleType | None = None


class Wild(BaseModel):
    base: float

    @computed_field
    @property
    def power(self) -> float:
        return self.base * float("inf")


class Anything(BaseModel):
    x: Any = None
    inner: dict[str, Any] = {}

    @field_validator("x")
    @classmethod
    def _double(cls, x):
        return x * 2

    @computed_field
    @property
    def same(self) -> Any:
        return self.x


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


@pytest.fixture
def weather(user_module):
    return build("weather", ProfileConfig(model=f"{user_module}:Weather"))


@pytest.fixture
def user_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "my_sensors", sys.modules[__name__])
    return "my_sensors"


def reason(profile, **fields):
    with pytest.raises(Rejected) as caught:
        profile.validate(fields)
    return caught.value.reason


def test_what_the_model_gives_are_the_metrics(weather):
    assert weather.validate({"temperature": 20, "AM2301.Humidity": 50, "rain": True, "unknown": 1}) == {
        "temperature": 20.0,
        "humidity": 50.0,
        "count": 0,
        "rain": True,
        "kelvin": 293.15,
    }


def test_values_become_plain(weather):
    fields = {"temperature": 0, "state": "on", "mode": "a", "cost": "1.50", "at": datetime(2026, 1, 1, tzinfo=UTC)}
    values = weather.validate({**fields, "wind": {"speed": 3, "gusts": [4, 5]}})
    assert values == {
        "temperature": 0.0,
        "count": 0,
        "kelvin": 273.15,
        "state": "on",
        "mode": "a",
        "cost": "1.50",
        "at": "2026-01-01T00:00:00Z",
        "wind.speed": 3.0,
        "wind.gusts.0": 4.0,
        "wind.gusts.1": 5.0,
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"temperature": 120.5}, "temperature: expected at most 85, got 120.5"),
        ({"temperature": "21,4"}, 'temperature: expected a number, got "21,4"'),
        ({"count": 1}, "temperature: expected a value, got nothing"),
        ({"AM2301.Humidity": 100}, "AM2301.Humidity: expected less than 100, got 100"),
        ({"state": "up"}, "state: expected 'on' or 'off', got \"up\""),
        ({"mode": "c"}, "mode: expected 'a' or 'b', got \"c\""),
        ({"note": "bad"}, 'note: notes must be good, got "bad"'),
        ({"wind": 5}, "wind: expected an object, got 5"),
        ({"wind": {"speed": "x"}}, 'wind.speed: expected a number, got "x"'),
        ({"count": 13}, '13 brings bad luck, got {"count":13,"temperature":0}'),
    ],
)
def test_its_errors_are_in_words(weather, fields, words):
    given = fields if "temperature" in fields or fields == {"count": 1} else {**fields, "temperature": 0}
    assert reason(weather, **given) == words


def test_what_has_no_words_of_its_own_has_pydantics(weather):
    assert reason(weather, temperature=0, at="soon").startswith("at: expected a valid datetime")


def test_what_it_gives_is_bounded_too(user_module):
    loose = build("loose", ProfileConfig(model=f"{user_module}:Loose"))
    assert loose.validate({"a": 1, "b": "x"}) == {"a": 1, "b": "x"}
    wild = build("wild", ProfileConfig(model=f"{user_module}:Wild"))
    assert reason(wild, base=1) == "power: expected a finite number, got inf"
    assert reason(loose, a=2**70).startswith("a: expected a whole number of at most 64 bits")
    assert reason(loose, a="x" * 300).startswith("a: expected at most 256 characters")
    assert reason(loose, **{"a.b": 1, "a": {"b": 2}}) == "a.b: is there twice"
    assert reason(loose, **{str(n): n for n in range(300)}) == "300 metrics, at most 256 are taken"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"x": 1e308}, "x: expected a finite number, got inf"),
        ({"inner": {"y": float("nan")}}, "inner.y: expected a finite number, got nan"),
    ],
)
def test_an_infinity_of_any_type_is_refused_and_not_dropped(user_module, fields, words):
    anything = build("anything", ProfileConfig(model=f"{user_module}:Anything"))
    assert anything.validate({"x": 1, "inner": {"none": None}}) == {"x": 2, "same": 2}
    assert reason(anything, **fields) == words


def test_what_the_page_shows_comes_from_the_models_schema(weather):
    described = {name: info.describe() for name, info in weather.metrics.items()}
    assert described == {
        "temperature": {"type": "float", "unit": "°C", "label": "Air temperature", "min": -40, "max": 85},
        "humidity": {"type": "float", "min": 0, "max": 100},
        "count": {"type": "int"},
        "rain": {"type": "bool"},
        "state": {"type": "str"},
        "mode": {"type": "str"},
        "note": {"type": "str"},
        "cost": {"type": "str"},
        "at": {"type": "str"},
        "kelvin": {"type": "float", "unit": "K", "label": "Kelvin"},
    }
    assert {"note", "state"} <= weather.text_fields
    assert "temperature" not in weather.text_fields


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("my_sensors", 'expected "module:Class", got "my_sensors"'),
        (":Weather", 'expected "module:Class"'),
        ("my_sensors:", 'expected "module:Class"'),
        ("no_such_module_here:Weather", 'can be imported, got "no_such_module_here:Weather"; ModuleNotFoundError: No'),
        ("my_sensors:Wether", 'expected a class in my_sensors, got "Wether", which is not there'),
        ("my_sensors:State", 'expected a pydantic model with fields, got "my_sensors:State", which is none'),
        ("my_sensors:sys", "expected a pydantic model with fields"),
        ("my_sensors:Root", "expected a pydantic model with fields"),
        ("my_sensors:Odd", "expected one with a JSON schema, got Odd; "),
        (".relative:X", "can be imported"),
    ],
)
def test_a_class_that_can_not_be_used_is_refused_in_words(user_module, path, words):
    with pytest.raises(ValueError) as caught:
        build("weather", ProfileConfig(model=path))
    assert str(caught.value).startswith("model: expected ")
    assert words in str(caught.value)


def test_a_module_that_fails_says_why(tmp_path, monkeypatch):
    (tmp_path / "broken_sensors.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="ZeroDivisionError: division by zero"):
        build("weather", ProfileConfig(model="broken_sensors:Weather"))
