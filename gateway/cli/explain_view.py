"""The steps of messages, for people."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.adapter import AdapterConfig
from gateway.cli.words import printable, value
from gateway.decoding.words import shown
from gateway.explain import Account, Metric, ReadingSteps, RouteTried
from gateway.model import Outcome

_STYLES = {Outcome.STORED: "bold green", Outcome.REJECTED: "bold red", Outcome.IGNORED: "bold yellow"}
_MOST = 5
"""Readings of one message that are shown; the last is always, as it may be the one that is refused."""

Row = tuple[str, Text]


def view(config: AdapterConfig, accounts: Sequence[Account]) -> RenderableType:
    """Return the steps through one source."""
    disabled = "" if config.enabled else ", disabled: it isn't started"
    head = Text(f"{printable(config.name)} ({printable(config.type)}{disabled})", style="bold")
    if not accounts:
        return Group(head, Text("no message: the source finds none in these bytes", style="bold yellow"))
    return Group(head, *(_grid(account, number, len(accounts)) for number, account in enumerate(accounts, 1)))


def _grid(account: Account, number: int, count: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in _rows(account, f" {number} of {count}" if count > 1 else ""):
        grid.add_row(name, text)
    return grid


def _rows(account: Account, number: str) -> Iterator[Row]:
    topic = "" if account.topic is None else f" on {printable(account.topic)}"
    yield f"message{number}", Text(f"{account.size} {'byte' if account.size == 1 else 'bytes'}{topic}")
    if account.flaw:
        yield "flaw", Text(printable(account.flaw), "red")
    if account.availability:
        yield "availability", Text(f"{printable(account.availability)}: matches, so no route is asked", "green")
    for tried in account.routes:
        yield "route", _route(tried)
    for name, found in account.names.items():
        yield "topic", Text(f"{{{name}}} is {shown(found)}")
    if account.decode and not account.readings:
        yield "decode", Text(f"{account.decode}: refuses", "red")
    for index in _shown_readings(account.readings):
        yield from _reading(account, account.readings[index], index)
    yield from _verdict(account)


def _shown_readings(readings: Sequence[ReadingSteps]) -> Sequence[int]:
    count = len(readings)
    return range(count) if count <= _MOST else [*range(_MOST - 1), count - 1]


def _route(tried: RouteTried) -> Text:
    if tried.pattern is None:
        return Text("takes every message: this source has no topics")
    pattern = printable(tried.pattern)
    if tried.matched is None:
        return Text(f"{pattern}: not asked, an earlier one matches", "dim")
    return Text(f"{pattern}: no, {printable(tried.reason)}") if tried.reason else Text(f"{pattern}: matches", "green")


def _reading(account: Account, steps: ReadingSteps, index: int) -> Iterator[Row]:
    several = f" of reading {index + 1}" if len(account.readings) > 1 else ""
    fields = ", ".join(f"{printable(name)} = {shown(found)}" for name, found in steps.fields.items())
    yield "decode", Text(f"{account.decode}{several}: {fields or 'no fields'}")
    if steps.device is None:
        yield "device", Text("refused", "red")
        return
    yield "device", Text(f"{printable(steps.device)}, from the {account.device_from}")
    if steps.ts is None:
        yield "time", Text(f"{printable(account.time_key or '')} = {shown(steps.source_time)}: refused", "red")
        return
    yield "time", Text(f"{_moment(steps.ts)}, {_time_from(account, steps)}")
    yield "profile", _profile(account, steps)
    yield from (("metric", _metric(metric, steps)) for metric in steps.metrics)
    yield from (("metric", Text(f"{printable(name)}: left out", "yellow")) for name in steps.left_out)


def _time_from(account: Account, steps: ReadingSteps) -> str:
    if steps.source_time is None:
        return f"the arrival: there is no {printable(account.time_key or '')}"
    return f"from {printable(account.time_key or '')} = {shown(steps.source_time)}"


def _moment(ts: float) -> str:
    try:
        return datetime.fromtimestamp(ts, UTC).isoformat(sep=" ", timespec="milliseconds")
    except (OverflowError, OSError, ValueError):
        return f"{ts:.15g} s after 1970"  # a sensor's clock can say anything


def _profile(account: Account, steps: ReadingSteps) -> Text:
    name = printable(account.profile) if account.profile else "none, only the bounds of every value"
    return Text(f"{name}: passes", "green") if steps.passed else Text(f"{name}: refuses", "red")


def _metric(metric: Metric, steps: ReadingSteps) -> Text:
    name, raw = printable(metric.name), shown(metric.raw)
    if metric.value is None:
        return Text(f"{name}: {raw}, read under another name" if steps.passed else f"{name}: {raw}")
    kept = value(metric.value) + (f" {printable(metric.unit)}" if metric.unit else "")
    return Text(f"{name}: made by the profile → {kept}" if metric.raw is None else f"{name}: {raw} → {kept}")


def _verdict(account: Account) -> Iterator[Row]:
    style = _STYLES.get(account.outcome, "bold")
    why = account.reason or _why_ignored(account)
    yield "verdict", Text(f"{account.outcome}: {printable(why)}" if why else str(account.outcome), style)
    for kept in account.stored[:_MOST]:
        yield "", Text(f"{printable(kept.device)} {printable(kept.reading)}")
    if len(account.stored) > _MOST:
        yield "", Text(f"and {len(account.stored) - _MOST} more readings")


def _why_ignored(account: Account) -> str:
    if account.outcome is not Outcome.IGNORED:
        return ""
    if account.availability is None:
        return "no route wants it"
    state = {True: "is there", False: "is away", None: "is as it was, for nothing is said"}[account.online]
    return f"no reading; the device {state}"
