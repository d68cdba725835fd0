"""gatewayctl rejects."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click
from rich.text import Text

from gateway.cli.control import Control, Refused
from gateway.cli.options import Options
from gateway.cli.shapes import Reject, Rejects, ReplayedAll
from gateway.cli.terminal import console, table
from gateway.cli.words import hexadecimal, number, printable, since, size

_SHOWN = 40
"""Characters of a payload in a list."""
_ENDS = {"in_flight": "in flight", "skipped": "skipped (not kept whole, or of a source that is gone)"}
_HEADINGS = ("id", "source", "topic", "reason", "payload", "last", "times")


@click.group()
def rejects() -> None:
    """Look at refused messages; take them in again after a fix."""


@rejects.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def list_(options: Options, limit: int, as_json: bool) -> None:
    """List what was refused and why, newest first."""
    found: Rejects = options.control().get(f"/rejects?limit={limit}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found["rejects"]:
        console().print("Nothing has been rejected, or all of it was replayed.")
        return
    made = table(*_HEADINGS, right=("id", "times"))
    for reject in found["rejects"]:
        made.add_row(*_row(reject))
    console().print(made)
    if len(found["rejects"]) < found["total"]:
        console().print(f"The newest {number(len(found['rejects']))} of {number(found['total'])}.")


@rejects.command()
@click.argument("id_", metavar="ID", type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def show(options: Options, id_: int, as_json: bool) -> None:
    """Show all that is kept of reject ID."""
    reject: Reject = options.control().get(f"/rejects/{id_}")
    click.echo(json.dumps(reject, indent=2) if as_json else "\n".join(_lines(reject)))


@rejects.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(1))
@click.option("--all", "all_", is_flag=True, help="All of them, oldest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def replay(options: Options, ids: tuple[int, ...], all_: bool, as_json: bool) -> None:
    """Take rejects in again, through the same door, as they came.

    What is stored now goes from the list. Exits with 0 if that is all of them, else with 1.
    """
    if bool(ids) == all_:
        raise click.UsageError("name the rejects to replay, or say --all")
    control = options.control()
    done = _replay_all(control, as_json) if all_ else [_replay(control, id_, as_json) for id_ in ids]
    if not all(done):
        raise click.exceptions.Exit(1)


def _replay(control: Control, id_: int, as_json: bool) -> bool:
    try:
        result: dict[str, Any] = control.post(f"/rejects/{id_}/replay")
    except Refused as error:
        click.echo(f"{id_}: {error.message}", err=True)
        return False
    reason = f": {printable(result['reason'])}" if result["reason"] else ""
    click.echo(json.dumps(result) if as_json else f"{id_}: {result['outcome']}{reason}")
    return bool(result["outcome"] == "stored")


def _replay_all(control: Control, as_json: bool) -> list[bool]:
    sums: ReplayedAll = control.post("/rejects/replay")
    click.echo(json.dumps(sums) if as_json else _in_words(sums))
    return [sums["stored"] == sums["replayed"] + sums["skipped"]]


def _in_words(sums: Mapping[str, Any]) -> str:
    ends = [(_ENDS.get(name, name), count) for name, count in sums.items() if name != "replayed" and count]
    others = [f"{number(count)} {name}" for name, count in ends]
    return f"{number(sums['replayed'])} replayed" + (f": {', '.join(others)}" if others else "")


def _row(reject: Reject) -> Iterator[Text]:
    yield Text(str(reject["id"]))
    yield Text(printable(reject["source"]))
    yield Text(printable(reject["topic"]))
    yield Text(printable(reject["reason"]))
    yield Text(_short(reject))
    yield Text(f"{since(reject['last'])} ago")
    yield Text(number(reject["count"]))


def _short(reject: Reject) -> str:
    text = reject["payload"]
    if text is None:
        return f"{size(reject['size'])}, not text"
    shown = printable(text[:_SHOWN])
    return shown if len(text) <= _SHOWN else f"{shown}… ({size(reject['size'])})"


def _lines(reject: Reject) -> Iterator[str]:
    times = "once" if reject["count"] == 1 else f"{number(reject['count'])} times"
    first = f", first {since(reject['first'])} ago" if reject["count"] > 1 else ""
    kept = ", of which only the beginning is kept: it can't be replayed" if reject["truncated"] else ""
    facts = {
        "source": printable(reject["source"]),
        "topic": printable(reject["topic"]),
        "reason": printable(reject["reason"]),
        "rule": printable(reject["rule"] or ""),
        "came": f"{times}, last {since(reject['last'])} ago{first}",
        "payload": f"{size(reject['size'])}{kept}",
    }
    yield from (f"{click.style(f'{name:8}', bold=True)} {fact}" for name, fact in facts.items() if fact)
    yield ""
    if reject["payload"] is None:
        yield from hexadecimal(reject["payload_base64"])
    else:
        yield from (printable(line) for line in reject["payload"].split("\n"))
