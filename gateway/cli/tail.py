"""gatewayctl tail."""

import json

import click

from gateway.cli.control import Control
from gateway.cli.options import Options
from gateway.cli.shapes import Batch
from gateway.cli.words import clock, printable, values


@click.command()
@click.argument("devices", metavar="[DEVICE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="JSON lines as they come, for programs.")
@click.pass_obj
def tail(options: Options, devices: tuple[str, ...], as_json: bool) -> None:
    """Print readings as they come, until Ctrl-C.

    Those of DEVICEs, or of all.
    """
    control = options.control()
    try:
        _say_who_is_unheard(control, devices)
        for line in control.tail(devices):
            click.echo(line.rstrip(b"\n") if as_json else _lines(json.loads(line)))
    except KeyboardInterrupt:
        return


def _say_who_is_unheard(control: Control, devices: tuple[str, ...]) -> None:
    """Say of each name that nobody has yet: it may come, or be misspelt."""
    heard = {each["id"] for each in control.get("/devices")["devices"]} if devices else ()
    for name in devices:
        if name not in heard:
            click.echo(f"{printable(name)}: not heard of yet, waiting for it (gatewayctl devices lists all)", err=True)


def _lines(batch: Batch) -> str:
    """Return a line for each reading."""
    name = click.style(printable(batch["device"]), bold=True)
    return "\n".join(
        f"{clock(reading['ts'])}  {name}  {values(reading['values'], {})}" for reading in batch["readings"]
    )
