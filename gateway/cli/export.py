"""gatewayctl export."""

import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import islice

import click

from gateway.cli.options import Options

_AT_ONCE = 1000
Row = tuple[str, int, float, bytes]
"""Device, ``seq``, ``ts`` and the stored JSON."""


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A time as people give it: ISO 8601, Unix seconds, or how long ago."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return Unix seconds."""
        text = str(value)
        for parse in (_unix, _iso, _ago):
            with suppress(ValueError):
                return parse(text)
        return self.fail(f"{text!r}: expected 2026-01-31, 2026-01-31T18:30, 1767225600 or 24h", param, ctx)


def _unix(text: str) -> float:
    return float(text)


def _iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _ago(text: str) -> float:
    from gateway.quantities import duration_s  # noqa: PLC0415  pydantic: not at each TAB of shell completion

    return datetime.now(UTC).timestamp() - duration_s(text)


@click.command()
@click.argument("devices", metavar="[DEVICE]...", nargs=-1)
@click.option("--since", type=Moment(), help="Readings from this time on: 2026-01-31, 2026-01-31T18:30, 24h (ago).")
@click.option("--until", type=Moment(), help="Readings up to this time.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.pass_obj
def export(options: Options, devices: Sequence[str], since: float | None, until: float | None, form: str) -> None:
    """Write readings to stdout, straight from the journal.

    Those of DEVICEs, or of all.

    CSV has a row for each value: device, seq, ts, time, metric, value. JSON lines have a reading each, with its device.
    Works beside a running gateway and without one.
    """
    from gateway.errors import JournalDown  # noqa: PLC0415  see above
    from gateway.journal.exporting import Export  # noqa: PLC0415  see above

    try:
        with closing(Export(options.journal())) as journal:
            names = _chosen(journal.devices(), devices)
            rows = ((name, *one) for name in names for one in journal.readings(name, since, until))
            _write(rows, *_FORMATS[form])
            if problem := journal.problem():
                raise click.ClickException(problem)
    except JournalDown as error:
        raise click.ClickException(str(error)) from error


def _chosen(known: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    for name in wanted:
        if name not in known:
            raise click.ClickException(f"the journal has no device {name!r}; it has {len(known)} others")
    return wanted or known


def _write(rows: Iterator[Row], head: bytes, form: Callable[[list[Row]], bytes]) -> None:
    out = sys.stdout.buffer
    out.write(head)
    while part := list(islice(rows, _AT_ONCE)):
        out.write(form(part))
    out.flush()


def _jsonl(rows: list[Row]) -> bytes:
    from orjson import dumps  # noqa: PLC0415  see above

    return b"".join(b'{"device":%b,"seq":%d,%b\n' % (dumps(name), seq, body[1:]) for name, seq, _, body in rows)


def _csv(rows: list[Row]) -> bytes:
    from orjson import loads  # noqa: PLC0415  see above

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    for name, seq, ts, body in rows:
        time = _time(ts)
        for metric, value in loads(body)["values"].items():
            table.writerow((name, seq, ts, time, metric, _plain(value)))
    return text.getvalue().encode()


def _time(ts: float) -> str:
    try:
        return datetime.fromtimestamp(ts, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return ""  # a sensor's clock can say anything


def _plain(value: object) -> object:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


_FORMATS: dict[str, tuple[bytes, Callable[[list[Row]], bytes]]] = {
    "csv": (b"device,seq,ts,time,metric,value\n", _csv),
    "jsonl": (b"", _jsonl),
}
"""What each begins with, and what makes its lines."""
