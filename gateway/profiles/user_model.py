"""A profile that is a pydantic model of the user's own."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ConfigDict, RootModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.json_schema import JsonSchemaMode

from gateway.decoding.flatten import flatten
from gateway.errors import Rejected
from gateway.model import Value
from gateway.profiles.plain import plain
from gateway.profiles.profile import MetricInfo, MetricType, Profile
from gateway.profiles.words import reason_of

_TYPES: Mapping[str, MetricType] = {"number": "float", "integer": "int", "boolean": "bool", "string": "str"}
Schema = Mapping[str, Any]


class ModelProfile(Profile):
    """Validates with the class; what it serializes to, flat and without None, are the metrics.

    The class sees the fields as the decoder gives them, flat with dots in their names; an alias
    lets it call them otherwise.
    """

    def __init__(self, name: str, model: type[BaseModel]) -> None:
        received = _schema(model, "validation", by_alias=True)
        text = frozenset(field for field, kind, _ in _scalars(received) if kind == "str")
        super().__init__(name, _metrics(model), text)
        self._model = model
        # A model alone would dump an infinity of type Any as None; what is around it decides.
        self._one = TypeAdapter(tuple[model], config=ConfigDict(ser_json_inf_nan="constants"))  # type: ignore[valid-type]  # made from a name

    def validate(self, fields: dict[str, object]) -> dict[str, Value]:
        """Return the model's fields, computed ones included."""
        try:
            reading = self._model.model_validate(fields)
        except ValidationError as error:
            raise Rejected(reason_of(error)) from error
        (document,) = self._one.dump_python((reading,), mode="json", by_alias=False, exclude_none=True)
        return plain(flatten(document))


def load_model(path: str) -> type[BaseModel]:
    """Import ``module:Class``.

    Raises
    ------
    ValueError
        It can't be imported, or isn't a pydantic model with fields.
    """
    module_name, colon, class_name = path.partition(":")
    if not (module_name and colon and class_name):
        raise ValueError(f'model: expected "module:Class", got "{path}"')
    model = getattr(_module(path, module_name), class_name, None)
    if model is None:
        raise ValueError(f'model: expected a class in {module_name}, got "{class_name}", which is not there')
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or issubclass(model, RootModel):
        text = f'model: expected a pydantic model with fields, got "{path}", which is none'
        raise ValueError(text)  # noqa: TRY004  what is wrong is a word in gateway.toml
    return model


def _module(path: str, name: str) -> object:
    try:
        return import_module(name)
    except Exception as error:  # whatever the user's module raises
        cause = f"{type(error).__name__}: {error}"
        raise ValueError(f'model: expected a class that can be imported, got "{path}"; {cause}') from error


def _schema(model: type[BaseModel], mode: JsonSchemaMode, *, by_alias: bool) -> Schema:
    try:
        return model.model_json_schema(by_alias=by_alias, mode=mode)
    except PydanticUserError as error:
        raise ValueError(f"model: expected one with a JSON schema, got {model.__name__}; {error.message}") from error


def _metrics(model: type[BaseModel]) -> dict[str, MetricInfo]:
    schema = _schema(model, "serialization", by_alias=False)
    labels = {name: field.title for name, field in (model.model_fields | model.model_computed_fields).items()}
    return {name: _info(kind, field, labels.get(name) or "") for name, kind, field in _scalars(schema)}


def _info(kind: MetricType, field: Schema, label: str) -> MetricInfo:
    lowest = field.get("minimum", field.get("exclusiveMinimum"))
    highest = field.get("maximum", field.get("exclusiveMaximum"))
    return MetricInfo(kind, str(field.get("unit", "")), label, lowest, highest)


def _scalars(schema: Schema) -> Iterator[tuple[str, MetricType, Schema]]:
    """Yield name, type and schema of each property that is a plain value or None."""
    definitions = schema.get("$defs", {})
    for name, field in schema.get("properties", {}).items():
        resolved = dict(field)
        for branch in field.get("anyOf", [field]):  # "X or null" has the constraints in its branch
            if branch.get("type") != "null":
                resolved |= definitions.get(str(branch.get("$ref")).rpartition("/")[2], branch)
        if resolved.get("type") in _TYPES:
            yield name, _TYPES[resolved["type"]], resolved
