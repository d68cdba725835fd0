"""The configuration, and each source: by what it says of itself, and by what the running gateway says of it."""

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from gateway.adapter import AdapterConfig
from gateway.configuration import Chosen, no_source
from gateway.doctor.facts import Facts, SourceState
from gateway.durations import in_words
from gateway.findings import Finding, Severity, Situation, error, note, warning
from gateway.settings.files import FOLDER
from gateway.settings.references import CREDENTIALS

_SKEW_S = 60.0
_PATIENCE_S = 600.0
"""After which a source from which nothing ever came is set up wrongly, rather than slow."""
_LEFTOVER = re.compile(r"^\.|~$|^#|\.(bak|dpkg-\w+|ucf-\w+|swp|disabled|off|orig)$|^README")
"""What editors, packages and people leave, knowing that it isn't read."""
_UNTROUBLED = ("up", "starting", "disabled")


def configuration(facts: Facts) -> Iterator[Finding]:
    """Look at gateway.toml as a whole."""
    for problem in facts.problems:
        text = f"{problem.where}: {problem.key}: expected {problem.expected}, found {problem.found}"
        yield error("configuration", "configuration", text, problem.hint or f"edit {problem.where}")
    if facts.configuration is not None:
        yield from _readable(facts)
        for found in facts.configuration.warnings:
            text, _, remedy = found.partition("; ")
            yield warning("secret-readable-by-all", "configuration", text, remedy)
        yield from _left_out(facts.configuration.path)
        yield from _none_enabled(facts)
        yield from _twice(_enabled(facts))


def checks(facts: Facts) -> Sequence[tuple[str, Callable[[Facts], Iterable[Finding]]]]:
    """Return a check for each source that is enabled."""
    return [(f"source {chosen[1].name}", partial(_examine, chosen)) for chosen in _enabled(facts)]


def _enabled(facts: Facts) -> list[Chosen]:
    found = facts.configuration
    return [] if found is None else [chosen for chosen in found.adapters if chosen[1].enabled]


def _examine(chosen: Chosen, facts: Facts) -> Iterator[Finding]:
    _, config = chosen
    state = facts.running.sources.get(config.name) if facts.running else None
    told = False
    for finding in _own(chosen, facts, state):
        told = told or finding.severity is Severity.ERROR
        yield finding
    if state is not None:
        yield from _state(config.name, state, told=told)
        yield from _account(config.name, state)
    elif facts.running is not None:
        text = "the running gateway doesn't know it: it was started with an earlier configuration"
        yield warning("source-unknown", f"source {config.name}", text, "sudo gatewayctl reload")


def _own(chosen: Chosen, facts: Facts, state: SourceState | None) -> Iterable[Finding]:
    """Return what the adapter itself finds."""
    adapter, config = chosen
    if _refers_elsewhere(config):
        text = "it takes a secret from the service's credentials, which it alone has: it was not examined"
        return (note("secret-unread", f"source {config.name}", text, "sudo gatewayctl doctor, while the service runs"),)
    situation = Situation(
        facts.user,
        facts.pid,
        facts.unit.devices() if facts.unit and facts.unit.is_active else None,
        connected=state is not None and state.is_up,
        reason=(state.reason or "") if state else "",
    )
    return adapter(config).examine(situation)


def _refers_elsewhere(config: AdapterConfig) -> bool:
    """Tell whether something is left in it that only the service can put in."""
    values = (getattr(config, key) for key in type(config).model_fields)
    texts = (value.get_secret_value() if isinstance(value, SecretStr) else str(value) for value in values)
    return any(f"${{{CREDENTIALS}}}" in text or "${credential:" in text for text in texts)


def _state(name: str, state: SourceState, *, told: bool) -> Iterator[Finding]:
    """Say what the gateway says, unless a cause was found: that is the better answer."""
    about = f"source {name}"
    if state.skew_s is not None and abs(state.skew_s) > _SKEW_S:
        text = (
            f"its times are {in_words(abs(state.skew_s))} {'behind' if state.skew_s > 0 else 'ahead of'} this machine's"
        )
        yield warning("source-clock-wrong", about, text, "set its clock, or this machine's: timedatectl status")
    if state.reason and "our client id" in state.reason:
        text, remedy = state.reason, "give each gateway a client_id of its own in gateway.toml"
        yield error("client-id-taken", about, text, remedy)
    elif state.state not in _UNTROUBLED and not told:
        yield error(f"source-{state.state}", about, f"is {state.state}: {state.reason}", _remedies(state, name))
    elif state.state == "up" and state.reason and not told:
        yield warning("source-partly-up", about, state.reason, f"gatewayctl status, and what is said of {name} there")


def _account(name: str, state: SourceState) -> Iterator[Finding]:
    """Find sources that are up, and bring nothing all the same."""
    about = f"source {name}"
    if state.rejected and not state.stored:
        text = f"all {state.rejected} messages were rejected so far, and none was stored"
        remedy = "gatewayctl rejects list says why; on a serial port, unreadable signs mean another baudrate"
        yield error("source-all-rejected", about, text, remedy)
    elif state.is_up and not state.received and state.since_s > _PATIENCE_S:
        text = f"nothing has ever come, though it has been up for {state.since_s / 60:.0f} min"
        remedy = (
            "is the sensor on, and are topic, or port and baudrate, the right ones? For MQTT: mosquitto_sub -v -t '#'"
        )
        yield warning("source-nothing-came", about, text, remedy)


def _remedies(state: SourceState, name: str) -> str:
    if state.state == "stalled":
        return "is the sensor on, does it still send? gatewayctl tail shows what comes"
    if state.state == "failed":
        return "this is a defect of the adapter: report it, with journalctl -u telemetry-gateway"
    return f"the gateway tries again by itself; journalctl -u telemetry-gateway | grep {shlex.quote(name)}"


def _readable(facts: Facts) -> Iterator[Finding]:
    assert facts.configuration is not None
    name = facts.user.name
    for path in (facts.configuration.path, *facts.configuration.added):
        if not facts.user.may(path, os.R_OK):
            text = f"{path} can't be read by {name}, as whom the gateway runs"
            remedy = f"sudo chgrp {name} {path}; sudo chmod g+r {path}; so for its folder: g+rx"
            yield error("configuration-unreadable", "configuration", text, remedy)


def _left_out(path: Path) -> Iterator[Finding]:
    """Find files in conf.d that look like configuration and aren't read."""
    folder = path.parent / FOLDER
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    for name in names:
        if not name.endswith(".toml") and not _LEFTOVER.search(name):
            text = f"{folder / name} isn't read: its name doesn't end with .toml"
            yield warning(
                "conf-d-ignored", "configuration", text, f"mv {folder / name} {folder / name}.toml, or remove it"
            )


def _none_enabled(facts: Facts) -> Iterator[Finding]:
    assert facts.configuration is not None
    if not _enabled(facts):
        text, _, remedy = no_source(facts.configuration.path).partition("; ")
        yield warning("no-sources", "configuration", text, f"{remedy}; gatewayctl config sample shows all there are")


def _twice(chosen: Sequence[Chosen]) -> Iterator[Finding]:
    """Find two sources that want what only one can have."""
    owners: dict[str, AdapterConfig] = {}
    for _, config in chosen:
        for claim in config.claims():
            first = owners.setdefault(claim, config)
            if first is not config:
                text = f'"{first.name}" and "{config.name}" both want the {claim}, which only one can have'
                yield error("claimed-twice", f"source {config.name}", text, "remove one, or set enabled = false in it")
