"""gatewayctl tail."""

import json

import click

from gateway.cli.options import Options
from gateway.cli.shapes import Batch
from gateway.cli.words import clock, printable, values


@click.command()
@click.argument("devices", metavar="[DEVICE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="JSON lines as they come, for programs.")
@click.pass_obj
def tail(options: Options, devices: tuple[str, ...], as_json: bool) -> None:
    """Print readings as they come, of DEVICEs or of all, until Ctrl-C."""
    try:
        for line in options.control().tail(devices):
            click.echo(line.rstrip(b"\n") if as_json else _lines(json.loads(line)))
    except KeyboardInterrupt:
        return


def _lines(batch: Batch) -> str:
    """Return a line for each reading."""
    name = click.style(printable(batch["device"]), bold=True)
    return "\n".join(
        f"{clock(reading['ts'])}  {name}  {values(reading['values'], {})}" for reading in batch["readings"]
    )
