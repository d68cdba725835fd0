"""gatewayctl devices."""

import json
from collections.abc import Iterator

import click
from rich.text import Text

from gateway.cli.options import Options
from gateway.cli.shapes import Device, Devices
from gateway.cli.terminal import console, table
from gateway.cli.words import printable, since, values

_STYLES = {"online": "green", "stale": "yellow", "offline": "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def devices(options: Options, as_json: bool) -> None:
    """List the devices, with their latest values."""
    found: Devices = options.control().get("/devices")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    made = table("device", "source", "state", "last seen", "per second", "values", right=("per second",))
    for device in found["devices"]:
        made.add_row(*_row(device))
    console().print(made if found["devices"] else "No device has been heard of yet.")


def _row(device: Device) -> Iterator[Text]:
    yield Text(printable(device["id"]))
    yield Text(printable(device["source"]))
    yield Text(device["state"], style=_STYLES.get(device["state"], ""))
    yield Text(f"{since(device['last_seen'])} ago" if device["last_seen"] else "never")
    yield Text(f"{device['rate']:.3g}")
    yield Text(values(device["latest"], device["metrics"]))
