"""Who may import what, beside the layers in pyproject.toml: it is named who may, so that no new module is forgotten."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_WEB = ("gateway.web",)
ONLY = {
    "eventlet": ("gateway.runtime", "gateway.web", "gateway.__main__"),
    "greenlet": ("gateway.runtime",),
    "prometheus_client": ("gateway.metrics",),
    **dict.fromkeys(("flask", "flask_socketio", "socketio", "engineio", "werkzeug"), _WEB),
}
"""What belongs to the runtime or to the web, and the only ones who know it."""
ADAPTERS_MAY = tuple(
    f"gateway.{name}"
    for name in (
        *("adapter", "availability", "decoding", "errors", "findings", "framing"),
        *("machine", "model", "quantities", "runtime"),
    )
)
"""The page that adapters are written by, and what is below it."""


def modules() -> Iterator[tuple[str, str]]:
    """Yield name and text of every module of the project."""
    for package in ("gateway", "adapters"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), path.read_text()


def imports(text: str) -> Iterator[str]:
    """Yield what a module imports, wherever in it: ``from a import b`` is ``a.b``."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def forbidden(module: str, text: str) -> list[str]:
    """Return what ``module`` imports and may not; a relative import hides what it is, and is none that may be."""
    return [
        name
        for name in imports(text)
        if name.startswith(".")
        or not is_in(module, ONLY.get(name.partition(".")[0], (module,)))
        or (is_in(module, ("adapters",)) and is_in(name, ("gateway",)) and not is_in(name, ADAPTERS_MAY))
    ]


def test_all_import_only_what_they_may():
    found = dict(modules())
    assert {"gateway.daemon", "gateway.web", "gateway.runtime.green", "adapters.mqtt.connection"} <= found.keys()
    assert {name: wrong for name, text in found.items() if (wrong := forbidden(name, text))} == {}


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        ("gateway.new", "import eventlet.hubs", ["eventlet.hubs"]),
        ("gateway.new", "def f():\n    from eventlet import sleep", ["eventlet.sleep"]),
        ("gateway.webby", "import flask", ["flask"]),
        ("gateway.web.new", "import flask, eventlet\nfrom gateway import live", []),
        ("gateway.__main__", "import eventlet, socketio", ["socketio"]),
        ("gateway.new.part", "from .. import daemon", ["...daemon"]),
        ("adapters.new", "from gateway.adapter import Adapter\nfrom gateway import runtime", []),
        ("adapters.new", "from gateway import roster", ["gateway.roster"]),
        ("adapters.new", "from gateway.adapters import x", ["gateway.adapters.x"]),
        ("adapters.new", "import eventlet", ["eventlet"]),
    ],
)
def test_what_is_forbidden_is_found(module, text, wrong):
    assert forbidden(module, text) == wrong
