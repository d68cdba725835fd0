"""The JSON Schema of gateway.toml, from the models: what editors complete and check with."""

from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.adapter import AdapterConfig
from gateway.profiles import ProfileConfig
from gateway.registry import Registry
from gateway.settings import Settings

Schema = dict[str, Any]
"""A JSON Schema: JSON, whatever its depth."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MODE: JsonSchemaMode = "validation"
_NOT_FOR_PEOPLE = ("title", "gt")
"""Titles only repeat the names of keys; ``gt`` is of the quantity, where the file has text."""


def build(registry: Registry) -> Schema:
    """Return the schema of a whole gateway.toml, with each type of adapter that can be used."""
    configs = {name: found.Config for name, found in registry.usable() if _is_describable(found.Config)}
    models: list[type[BaseModel]] = [Settings, ProfileConfig, *configs.values()]
    references, definitions = models_json_schema([(model, _MODE) for model in dict.fromkeys(models)])
    defined = definitions["$defs"]
    names = {model: reference["$ref"].rpartition("/")[2] for (model, _), reference in references.items()}
    schema = deepcopy(defined[names[Settings]])
    adapters = {_key(name): _typed(defined[names[config]], name) for name, config in configs.items()}
    schema["properties"]["adapters"]["items"] = {"oneOf": [{"$ref": f"#/$defs/{key}"} for key in adapters]}
    schema["properties"]["profiles"]["additionalProperties"] = {"$ref": f"#/$defs/{names[ProfileConfig]}"}
    for whole in {names[Settings], *(names[config] for config in configs.values())}:
        del defined[whole]
    tidied: Schema = _tidy(schema | {"$defs": defined | adapters})
    return {"$schema": _DIALECT, "title": "gateway.toml", **tidied}


def resolve(schema: Schema, node: Schema) -> Schema:
    """Return ``node``, or what it refers to with what it says besides."""
    if "$ref" not in node:
        return node
    target: Schema = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return target | {key: value for key, value in node.items() if key != "$ref"}


def _is_describable(config: type[AdapterConfig]) -> bool:
    try:
        config.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return False  # a third-party adapter with types that JSON doesn't have still runs
    return True


def _key(name: str) -> str:
    return f"adapter-{name}"


def _typed(definition: Schema, name: str) -> Schema:
    """Return an adapter's table that only this type fits."""
    typed = deepcopy(definition)
    typed["properties"]["type"] = {"const": name, "description": typed["properties"]["type"]["description"]}
    return typed


def _tidy(node: Any) -> Any:
    """Return the schema in TOML's terms: there is no null in a file, a key is left out instead."""
    if isinstance(node, list):
        return [_tidy(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key not in _NOT_FOR_PEOPLE or isinstance(value, dict)}
    if "default" in kept and kept["default"] in (None, {}):
        del kept["default"]
    branches = [branch for branch in kept.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == 1:
        del kept["anyOf"]
        kept = branches[0] | kept
    elif branches:
        kept["anyOf"] = branches
    if isinstance(kept.get("description"), str):
        kept["description"] = _summary(kept["description"])
    return {key: _tidy(value) for key, value in kept.items()}


def _summary(docstring: str) -> str:
    """Return the first paragraph, as plain text."""
    return " ".join(docstring.split("\n\n", maxsplit=1)[0].split()).replace("``", "")
