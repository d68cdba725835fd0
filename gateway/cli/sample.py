"""The commented sample of gateway.toml, from its JSON Schema."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.cli.schema import Schema, resolve

_WIDTH = 110
_TITLE = "The configuration of the telemetry gateway."
_KEYS = """
What is commented out without a blank behind the # is a key with its default, or with an example where there is no \
default: remove the # to set it. Durations are texts such as "30s", "12h" or "30d", sizes such as "512MiB"."""
_TEST = """
Test a change:  gatewayctl check gateway.toml"""
_SERVICE = """
There is no source in it yet. Your MQTT broker, or your serial port, goes below, or into a file of its own in conf.d/ \
beside this one. Short examples are in /usr/share/doc/telemetry-gateway/examples/. Then:

  gatewayctl check && sudo systemctl reload telemetry-gateway"""
_STATE_DIR = ('#state_dir = "state"', 'state_dir = "/var/lib/telemetry-gateway"')
"""As the models have it, and where a service keeps it."""
_LIVE_ADAPTER = "simulator"
"""What a new gateway starts with, so that there is something to see."""
_NAMES = {"profiles": "climate", "metrics": "temperature"}
"""What to call the example in a table of tables."""


def build(schema: Schema) -> str:
    """Return the text of a sample that can be used as it is."""
    return _text(schema, f"{_TITLE}\n{_KEYS}\n{_TEST}", live_adapter=_LIVE_ADAPTER)


def build_for_service(schema: Schema) -> str:
    """Return what the service begins with: no source, as nobody wants invented readings among theirs."""
    text = _text(schema, f"{_TITLE}\n{_SERVICE}\n{_KEYS}", live_adapter=None)
    assert _STATE_DIR[0] in text
    return text.replace(*_STATE_DIR)


def _text(schema: Schema, head: str, *, live_adapter: str | None) -> str:
    lines = list(_prose(head))
    for name, node in schema["properties"].items():
        if name == "adapters":
            lines += _adapters(schema, node, live_adapter)
        elif not _is_table(schema, node):
            lines += ["", *_prose(node["description"]), f"{name} = {_toml(node['default'])}"]
        else:
            lines += _any_table(schema, name, node, is_live="properties" in resolve(schema, node))
    return "\n".join(lines) + "\n"


def _adapters(schema: Schema, node: Schema, live: str | None) -> Iterator[str]:
    for branch in node["items"]["oneOf"]:
        adapter = resolve(schema, branch)
        kind = adapter["properties"]["type"]["const"]
        given = {"name": kind, "type": kind}
        yield from _table(schema, "[[adapters]]", adapter, given=given, is_live=kind == live)


def _any_table(schema: Schema, path: str, node: Schema, *, is_live: bool) -> Iterator[str]:
    """Yield the lines of a table, of the first of several, or of one with a name that is up to its author."""
    inner = _inner(schema, node)
    if "properties" in inner:
        header = f"[[{path}]]" if inner.get("type") == "object" and node.get("type") == "array" else f"[{path}]"
        yield from _table(schema, header, inner | _described(node), given={}, is_live=is_live)
    elif isinstance(inner.get("additionalProperties"), dict):
        name = _NAMES.get(path.rpartition(".")[2], "name")
        yield from _any_table(
            schema, f"{path}.{name}", inner["additionalProperties"] | _described(inner), is_live=is_live
        )


def _table(schema: Schema, header: str, node: Schema, *, given: Mapping[str, str], is_live: bool) -> Iterator[str]:
    """Yield a header, the keys, and then the tables inside."""
    mark = "" if is_live else "#"
    yield ""
    yield from _prose(node.get("description", ""))
    yield f"{mark}{header}"
    required = node.get("required", ())
    names = sorted(node["properties"], key=lambda name: name not in required)  # what must be there comes first
    keys = {name: resolve(schema, node["properties"][name]) for name in names}
    for name, key in keys.items():
        if not _is_table(schema, key):
            yield from _prose(key.get("description", ""))
            yield f"{mark if name in required else '#'}{_spelled(name)} = {_toml(given.get(name, _example(key)))}"
    for name, key in keys.items():
        if _is_table(schema, key):
            yield from _any_table(schema, f"{header.strip('[]')}.{name}", key, is_live=False)


def _is_table(schema: Schema, node: Schema) -> bool:
    inner = _inner(schema, node)
    return "properties" in inner or isinstance(inner.get("additionalProperties"), dict)


def _inner(schema: Schema, node: Schema) -> Schema:
    """Return what one of several is, or the node itself."""
    node = resolve(schema, node)
    return resolve(schema, node["items"]) if node.get("type") == "array" and "items" in node else node


def _described(node: Schema) -> Schema:
    return {"description": node["description"]} if "description" in node else {}


def _example(key: Schema) -> Any:
    """Return a default, or what a value could be."""
    if key.get("default", "") not in ("", []):
        return key["default"]
    if "examples" in key:
        return key["examples"][0]
    if "enum" in key:
        return key["enum"][0]
    return {"array": [], "boolean": False, "integer": 0, "number": 0.0}.get(key.get("type", ""), "")


def _spelled(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # TOML and JSON write these in the same way


def _prose(text: str) -> Iterator[str]:
    for paragraph in text.split("\n"):
        yield from (f"# {line}" for line in textwrap.wrap(paragraph, _WIDTH)) if paragraph else ("#",) if text else ()
