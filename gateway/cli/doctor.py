"""gatewayctl doctor."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.text import Text

from gateway.cli.lazy import EX_CONFIG
from gateway.cli.options import Options
from gateway.cli.terminal import console
from gateway.cli.words import printable

if TYPE_CHECKING:  # at run time pydantic would slow down each TAB of shell completion
    from gateway.doctor import Facts
    from gateway.findings import Finding

FOUND = 1
_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON, for programs.")
@click.pass_obj
def doctor(options: Options, as_json: bool) -> None:
    """Look for what is wrong on this machine, and say remedies.

    Works beside a running gateway, which it doesn't disturb, and without one. As root it sees more: which process holds
    a port, and files that aren't yours. docs/doctor.md lists what is found (of the package:
    /usr/share/doc/telemetry-gateway/docs/doctor.md).

    Exits with 0 if nothing is wrong (notes don't count), 1 if something is, 78 if the configuration can't be used.
    """
    from gateway.cli.doctor_facts import gather  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.doctor import Doctor  # noqa: PLC0415  see above

    facts = gather(options)
    patient = Doctor(facts)
    found = [_without_secrets(finding, facts) for finding in patient.examine()]
    if as_json:
        click.echo(json.dumps(_plain(facts, patient.fields, found), indent=2, ensure_ascii=False))
    else:
        _print(facts, patient.fields, found)
    status = _status(facts, found)
    if status:
        raise click.exceptions.Exit(status)


def _without_secrets(finding: "Finding", facts: "Facts") -> "Finding":
    from dataclasses import replace  # noqa: PLC0415  see above

    if facts.configuration is None:
        return finding
    hide = facts.configuration.secrets.hide
    return replace(finding, text=hide(finding.text), remedy=hide(finding.remedy))


def _status(facts: "Facts", found: Sequence["Finding"]) -> int:
    if facts.configuration is None:
        return EX_CONFIG
    return FOUND if any(finding.severity != "note" for finding in found) else 0


def _plain(facts: "Facts", fields: Sequence[str], found: Sequence["Finding"]) -> dict[str, object]:
    from dataclasses import asdict  # noqa: PLC0415  see above

    return {
        "healthy": _status(facts, found) == 0,
        "configuration": None if facts.path is None else str(facts.path),
        "running": None if facts.is_forbidden else facts.pid is not None,
        "user": facts.user.name,
        "looked_at": list(fields),
        "findings": [asdict(finding) for finding in found],
    }


def _print(facts: "Facts", fields: Sequence[str], found: Sequence["Finding"]) -> None:
    out = console()
    for finding in found:
        style = _STYLES[finding.severity]
        head = Text(f"{finding.severity:8}", style=style).append(
            printable(f"{finding.about}: {finding.text}"), "default"
        )
        out.print(head.append(f"  [{finding.name}]", "dim"))
        out.print(Text(f"        → {printable(finding.remedy)}", style="dim" if finding.severity == "note" else "bold"))
    running = "may not be asked" if facts.is_forbidden else "is running" if facts.pid else "is not running"
    looked = f"{facts.path or 'no gateway.toml'}; the gateway {running}; its user is {facts.user.name}"
    out.print(Text(f"{_counted(found)}  ({printable(looked)}; looked at: {printable(', '.join(fields))})"))


def _counted(found: Sequence["Finding"]) -> str:
    counts = Counter(str(finding.severity) for finding in found)
    said = [f"{counts[kind]} {kind}{'' if counts[kind] == 1 else 's'}" for kind in _STYLES if counts[kind]]
    serious = any(counts[kind] for kind in ("error", "warning"))
    return ", ".join(said) + "." if serious else "Nothing is wrong."
