"""The service: whether systemd starts this gateway, with this configuration, and in this version."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.doctor import sandbox
from gateway.doctor.facts import Facts
from gateway.doctor.unit import NAME as UNIT
from gateway.doctor.unit import PACKAGED, Unit
from gateway.findings import Finding, error, note, warning

ABOUT = "service"
_NAME = "telemetry-gateway"
_EX_CONFIG = "78"


def check(facts: Facts) -> Iterator[Finding]:
    """Look at the running gateway, and at the unit that starts it."""
    yield from _silent(facts)
    yield from _version(facts)
    if facts.unit is None:
        yield from _not_running(facts)
        return
    yield from _state(facts, facts.unit)
    yield from text_of(facts.unit)
    yield from _command(facts, facts.unit)
    yield from sandbox.check(facts, facts.unit)


def _silent(facts: Facts) -> Iterator[Finding]:
    if facts.pid is not None and facts.running is None:
        text = f"the gateway (process {facts.pid}) is there and doesn't answer: {facts.silence}"
        remedy = f"sudo systemctl restart {_NAME}; without systemd: kill {facts.pid}, and start it again"
        yield error("gateway-silent", ABOUT, text, remedy)


def _version(facts: Facts) -> Iterator[Finding]:
    if facts.running is not None and facts.running.version != facts.version:
        text = f"version {facts.running.version} is running, {facts.version} is installed"
        yield warning("version-old", ABOUT, text, f"sudo systemctl restart {_NAME}")


def _not_running(facts: Facts) -> Iterator[Finding]:
    if facts.pid is None and not facts.is_forbidden and facts.path is not None:
        yield note("not-running", ABOUT, "the gateway isn't running", f"gatewayd --config {facts.path}")


def _state(facts: Facts, unit: Unit) -> Iterator[Finding]:
    status, result = unit.properties.get("ExecMainStatus", ""), unit.properties.get("Result", "")
    if unit.has_failed and status == _EX_CONFIG:
        text = "it doesn't start: the configuration can't be used"
        yield error("service-failed", ABOUT, text, f"gatewayctl check; then sudo systemctl restart {_NAME}")
    elif unit.has_failed:
        text = f"it has failed ({result}, exit status {status}), and systemd doesn't start it any more"
        remedy = f"journalctl -u {_NAME} -n 50; then sudo systemctl restart {_NAME}"
        yield error("service-failed", ABOUT, text, remedy)
    elif unit.properties.get("SubState") == "auto-restart":
        times = unit.properties.get("NRestarts", "?")
        text = f"it ends and is started again, {times} times so far ({result}, exit status {status})"
        yield error("service-restarting", ABOUT, text, f"journalctl -u {_NAME} -n 20 says why")
    elif unit.properties.get("ActiveState") == "activating":
        text = "it is starting: its journal may be large, or be mended"
        yield note("service-starting", ABOUT, text, f"journalctl -fu {_NAME} shows how far it is")
    elif unit.is_enabled and not unit.is_active:
        text = "it starts at boot, but isn't running now"
        yield error("service-stopped", ABOUT, text, f"sudo systemctl start {_NAME}")
    elif facts.pid is not None and not unit.is_enabled:
        text = "it is running, but won't start at the next boot"
        yield warning("service-not-enabled", ABOUT, text, f"sudo systemctl enable {_NAME}")
    else:
        yield from _not_running(facts)


def text_of(unit: Unit, own: Path = Path("/etc"), packaged: Sequence[Path] = PACKAGED) -> Iterator[Finding]:
    """Look at the unit's file: ``own`` hides what is in ``packaged``."""
    hidden = unit.hidden(packaged)
    if hidden is not None and unit.file.is_relative_to(own) and _differ(hidden, unit.file):
        text = f"{unit.file} hides the packaged {hidden}, and differs from it: an upgrade doesn't reach it"
        remedy = f"sudo rm {unit.file}, your own changes to systemctl edit {_NAME}; sudo systemctl daemon-reload"
        yield warning("service-file-old", ABOUT, text, remedy)
    elif unit.file.is_relative_to(own) and (missing := _missing(unit)):
        text = f"{unit.file} is of an earlier version: it has no {' and no '.join(missing)}"
        remedy = f"take systemd/{_NAME}.service of this version in its place; sudo systemctl daemon-reload"
        yield warning("service-file-old", ABOUT, text, remedy)
    added = own / "systemd" / "system" / UNIT
    if unit.properties.get("NeedDaemonReload") == "yes" or (added != unit.file and added.exists()):
        text = "its file was changed, and systemd still goes by the earlier one"
        remedy = f"sudo systemctl daemon-reload; sudo systemctl restart {_NAME}"
        yield warning("service-needs-reload", ABOUT, text, remedy)


def _missing(unit: Unit) -> list[str]:
    """Return what units of earlier versions didn't have."""
    has = {
        "Type=notify": unit.properties.get("Type", "notify").startswith("notify"),
        "ExecReload": bool(unit.properties.get("ExecReload", "yes")),
    }
    return [name for name, there in has.items() if not there]


def _differ(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() != other.read_bytes()
    except OSError:
        return False


def _command(facts: Facts, unit: Unit) -> Iterator[Finding]:
    words = unit.command.split()
    if not words:
        return
    program = Path(words[0])
    if not program.exists():
        text, remedy = f"it starts {program}, which isn't there", f"install it there, or sudo systemctl edit {_NAME}"
        yield error("service-program-missing", ABOUT, text, remedy)
    elif program.resolve().parent != Path(sys.executable).parent.resolve() and not _is_wrapper(program):
        text = f"it starts {program}; this gatewayctl is of the installation in {sys.prefix}"
        yield warning("service-other-installation", ABOUT, text, f"use {program.with_name('gatewayctl')}")
    config = _option(words, "--config")
    if config is not None and facts.path is not None and config.resolve() != facts.path.resolve():
        text = f"it reads {config}; doctor has looked at {facts.path}"
        yield warning("service-other-configuration", ABOUT, text, f"gatewayctl --config {config} doctor")


def _is_wrapper(program: Path) -> bool:
    """Tell whether it is a package's command, which starts what lies elsewhere."""
    return program.parent in (Path("/usr/bin"), Path("/usr/sbin")) and not program.is_symlink()


def _option(words: list[str], name: str) -> Path | None:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        key, _, value = word.partition("=")
        if key == name and (value or following):
            return Path(value or following)
    return None
