"""STATUS, for people."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.cli.shapes import Ledger, Source, Status
from gateway.cli.terminal import table
from gateway.cli.words import number, printable, since, size
from gateway.durations import in_words

_COUNTS = ("received", "stored", "rejected", "duplicate", "ignored", "dropped", "in_flight")
_HEADINGS = tuple(name.replace("_", " ") for name in _COUNTS)
_IN_STEP_S, _MUCH_S = 2.0, 60.0
"""Of a source's clock: what nobody would notice, and what is a problem."""
_STYLES = {
    "up": "green",
    "starting": "cyan",
    "disabled": "dim",
    "stalled": "yellow",
    "down": "red",
    "failed": "bold red",
}


def view(status: Status) -> RenderableType:
    """Return all of it: headline, problems, sources, ledger, the rest."""
    sources = (_sources(status),) if status["sources"] else ()  # without one a problem says so
    tables = (*sources, _ledger(status), _facts(status))
    spaced = (part for each in tables for part in (Text(), each))
    return Group(_headline(status), *_problems(status), *spaced)


def _headline(status: Status) -> Text:
    gateway = status["gateway"]
    line = Text(printable(gateway["name"]), style="bold")
    line.append(f"  {printable(gateway['version'])}, up for {in_words(gateway['uptime_s'])}  ", style="not bold")
    return line.append("healthy", "green") if status["healthy"] else line.append("degraded", "red")


def _problems(status: Status) -> Iterator[Text]:
    for problem in status["problems"]:
        yield Text(f"! {printable(problem)}", style="red")


def _sources(status: Status) -> Table:
    made = table("source", "type", "state", "since", "clock", "reason")
    for source in status["sources"]:
        made.add_row(*_source(source))
    return made


def _ledger(status: Status) -> Table:
    made = table("messages", *_HEADINGS, right=_HEADINGS)
    for source in status["sources"]:
        made.add_row(Text(printable(source["name"])), *_counts(source["ledger"]))
    if len(status["sources"]) != 1:
        made.add_row("all", *_counts(status["ledger"]), style="bold")
    return made


def _source(source: Source) -> Iterator[Text]:
    yield Text(printable(source["name"]))
    yield Text(printable(source["type"]))
    yield Text(printable(source["state"]), style=_STYLES.get(source["state"], ""))
    yield Text(since(source["since"]))
    yield _clock(source.get("skew_s"))
    yield Text(printable(source["reason"] or ""))


def _clock(skew_s: float | None) -> Text:
    """Return how a source's own times compare; nothing where it gives none."""
    if skew_s is None:
        return Text()
    if abs(skew_s) < _IN_STEP_S:
        return Text("in step")
    off = f"{in_words(abs(skew_s))} {'behind' if skew_s > 0 else 'ahead'}"
    return Text(off, style="yellow" if abs(skew_s) > _MUCH_S else "")


def _counts(ledger: Ledger) -> Iterator[Text]:
    for name in _COUNTS:
        count = ledger[name]  # type: ignore[literal-required]  # _COUNTS are its keys
        trouble = name in ("rejected", "dropped") and count
        yield Text(number(count), style="yellow" if trouble else "" if count else "dim")


def _facts(status: Status) -> Table:
    journal, lag = status["journal"], status["live"]["lag_ms"]
    oldest = f", the oldest {since(journal['oldest'])} old" if journal["oldest"] is not None else ""
    writable = "" if journal["writable"] else "  CAN'T BE WRITTEN"
    made = Table.grid(padding=(0, 2))
    made.add_row("devices", number(status["devices"]))
    made.add_row("clients", number(status["clients"]))
    made.add_row("journal", f"{_readings(journal['readings'])}, {size(journal['bytes'])}{oldest}{writable}")
    if lag["p99"]:
        made.add_row("latency", f"{lag['p50']:g} ms, one in a hundred above {lag['p99']:g} ms")
    return made


def _readings(count: int) -> str:
    return "1 reading" if count == 1 else f"{number(count)} readings"
