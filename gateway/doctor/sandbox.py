"""What the unit's sandbox hides from the gateway, though its user might see it."""

from collections.abc import Iterator
from pathlib import Path

from gateway.doctor.facts import Facts
from gateway.doctor.unit import Unit
from gateway.findings import Finding, error

_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  none is made there
_EDIT = "sudo systemctl edit telemetry-gateway"


def check(facts: Facts, unit: Unit) -> Iterator[Finding]:
    """Look at the paths that the configuration names."""
    if facts.configuration is None:
        return
    for about, path in _paths(facts):
        if place := _hidden_below(path, unit):
            text = f"{path} is below {place}, which the service can't see"
            remedy = f"move it below /etc/telemetry-gateway or /var/lib/telemetry-gateway; or {_EDIT}"
            yield error("service-cannot-see", about, text, remedy)
    yield from _state(facts.configuration.settings.gateway.state_dir, unit)


def _paths(facts: Facts) -> Iterator[tuple[str, Path]]:
    """Yield what is named, and where: the file itself, and each path of a source."""
    assert facts.configuration is not None
    yield "configuration", facts.configuration.path.absolute()
    for _, config in facts.configuration.adapters:
        for key in type(config).model_fields:
            value = getattr(config, key)
            if isinstance(value, Path):
                yield f"source {config.name}", value.absolute()


def _hidden_below(path: Path, unit: Unit) -> str | None:
    hidden = [] if unit.properties.get("ProtectHome", "no") in ("no", "read-only") else list(_HOMES)
    hidden += _TEMPORARY if unit.properties.get("PrivateTmp") == "yes" else ()
    return next((place for place in hidden if path.is_relative_to(place)), None)


def _state(folder: Path, unit: Unit) -> Iterator[Finding]:
    if unit.properties.get("ProtectSystem") != "strict":
        return
    more = (Path(each.lstrip("-+")) for each in unit.properties.get("ReadWritePaths", "").split())
    if not any(folder.is_relative_to(each) for each in (*unit.state_folders(), *more)):
        text = f"{folder} can't be written by the service, which may write its StateDirectory alone"
        remedy = f'state_dir = "/var/lib/telemetry-gateway", or {_EDIT}: [Service] ReadWritePaths={folder}'
        yield error("service-cannot-write", "state folder", text, remedy)
