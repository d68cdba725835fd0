"""A profile written in TOML, as a pydantic type."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any, Required

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from gateway.errors import Rejected
from gateway.model import MAX_TEXT, Value
from gateway.profiles.config import Extra, MetricConfig, ProfileConfig
from gateway.profiles.plain import INT_MAX, INT_MIN, check_name, check_value
from gateway.profiles.profile import MetricInfo, Profile
from gateway.profiles.words import SAYS_FOUND, number, reason_of

_PYTHON = {"float": float, "int": int, "bool": bool, "str": str}


class TableProfile(Profile):
    """Checks the metrics that it names in one pass of pydantic, and others by the bounds of every value."""

    def __init__(self, name: str, config: ProfileConfig) -> None:
        metrics = {key: _info(metric) for key, metric in config.metrics.items()}
        super().__init__(name, metrics, frozenset(key for key, info in metrics.items() if info.type == "str"))
        self._named = frozenset(metrics)
        self._extra = config.extra
        self._validate = _type_of(config, config.extra).validator.validate_python
        self._validate_named = _type_of(config, "ignore").validator.validate_python
        """For fields that are all named: pydantic takes half as long again to look for others."""

    def left_out(self, fields: Mapping[str, object]) -> tuple[str, ...]:
        """Return those that the profile doesn't name, where it ignores them."""
        return tuple(name for name in fields if name not in self._named) if self._extra == "ignore" else ()

    def validate(self, fields: dict[str, object]) -> dict[str, Value]:
        """Return the metrics, scaled."""
        is_named = self._named.issuperset(fields)
        try:
            values: dict[str, Value] = (self._validate_named if is_named else self._validate)(fields)
        except ValidationError as error:
            raise Rejected(reason_of(error)) from error
        if not is_named:
            for name in values.keys() - self._named:
                check_value(check_name(name), values[name])
        return values


def _info(metric: MetricConfig) -> MetricInfo:
    return MetricInfo(metric.type, metric.unit, metric.label, metric.min, metric.max)


def _type_of(config: ProfileConfig, extra: Extra) -> TypeAdapter[dict[str, Value]]:
    """Return the type that a profile's fields have; a TypedDict, as any text can be a key of one."""
    types = {name: _annotation(metric) for name, metric in config.metrics.items()}
    # mypy can't know the keys of a type that is made from a file.
    unknown: Any = TypedDict("Fields", types, total=False)  # type: ignore[misc]
    fields: Any = with_config(ConfigDict(extra=extra))(unknown)
    return TypeAdapter(fields)


def _annotation(metric: MetricConfig) -> Any:
    python: Any = _PYTHON[metric.type]
    kind: Any = Annotated[python, *_constraints(metric)]
    return Required[kind] if metric.required else kind


def _constraints(metric: MetricConfig) -> list[Any]:
    """Return what the value must be; strict, as a number in quotes is text and 1 isn't true."""
    if metric.type == "bool":
        return [Strict()]
    if metric.type == "str":
        return [Strict(), Field(max_length=MAX_TEXT)]
    whole = [BeforeValidator(_whole)] if metric.type == "int" else []
    finite = [Field(allow_inf_nan=False)] if metric.type == "float" else []
    if (metric.scale, metric.offset) != (1, 0):
        return [Strict(), *finite, *whole, AfterValidator(_Scaled(metric))]
    return [Strict(), *finite, Field(ge=metric.min, le=metric.max), *whole]


def _whole(value: object) -> object:
    """Let 21.0 pass as 21."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Scaled:
    """Scales a number, then checks it: the error shows both."""

    def __init__(self, metric: MetricConfig) -> None:
        self._integer = metric.type == "int"
        self._scale = int(metric.scale) if self._integer else metric.scale
        self._offset = int(metric.offset) if self._integer else metric.offset
        lowest, highest = (INT_MIN, INT_MAX) if self._integer else (-sys.float_info.max, sys.float_info.max)
        self._min = lowest if metric.min is None else metric.min
        self._max = highest if metric.max is None else metric.max

    def __call__(self, value: float) -> float:
        scaled = value * self._scale + self._offset
        if scaled < self._min:
            raise _unmet(f"at least {number(self._min)}", value, scaled)
        if scaled > self._max:
            raise _unmet(f"at most {number(self._max)}", value, scaled)
        return scaled


def _unmet(expected: str, value: float, scaled: float) -> PydanticCustomError:
    text = f"expected {expected}, got {number(scaled)} (scaled from {number(value)})"
    return PydanticCustomError(SAYS_FOUND, "{text}", {"text": text})
