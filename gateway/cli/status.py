"""gatewayctl status."""

import contextlib
import json
import time
from typing import NoReturn

import click
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from gateway.cli.control import Control, NotRunning
from gateway.cli.options import Options
from gateway.cli.shapes import Status
from gateway.cli.status_view import view
from gateway.cli.terminal import console

DEGRADED = 1
_REFRESH_S = 1.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="STATUS as JSON, for programs.")
@click.option("--watch", is_flag=True, help="Refresh every second, until Ctrl-C.")
@click.pass_obj
def status(options: Options, as_json: bool, watch: bool) -> None:
    """Show sources, devices, journal and problems.

    Exits with 0 if all is well, 1 if not, 3 if the gateway isn't running.
    """
    control = options.control()
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            _lines(control) if as_json else _screen(control)
        return
    found: Status = control.get("/status")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        console().print(view(found))
    if not found["healthy"]:
        raise click.exceptions.Exit(DEGRADED)


def _lines(control: Control) -> NoReturn:
    while True:
        click.echo(json.dumps(control.get("/status")))
        time.sleep(_REFRESH_S)


def _screen(control: Control) -> NoReturn:
    with Live(console=console(), auto_refresh=False) as live:
        while True:
            live.update(_now(control), refresh=True)
            time.sleep(_REFRESH_S)


def _now(control: Control) -> RenderableType:
    try:
        return view(control.get("/status"))
    except NotRunning as error:
        return Text(error.message)  # it may come back
