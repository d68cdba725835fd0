"""gatewayctl reload."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import click

from gateway.cli.control import NotRunning
from gateway.cli.lazy import EX_CONFIG
from gateway.cli.options import Options
from gateway.cli.shapes import Reloaded
from gateway.cli.words import printable

INCOMPLETE = 1
_SOON_S = 2.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="RELOAD as JSON, for programs.")
@click.pass_obj
def reload(options: Options, as_json: bool) -> None:
    """Let the gateway take its changed configuration.

    Says what was changed, and how that went.

    Only what was changed is touched: other sources and browsers don't notice. A changed source that isn't up after 30 s
    goes back to its old settings.

    Exits with 0 if all that the file says is in effect, 1 if some of it isn't, 78 if the file can't be used, so that
    nothing was changed; 3 if the gateway isn't running.
    """
    found = _ask(options)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for line in found["words"]:
            click.echo(printable(line))
    if not found["complete"]:
        raise click.exceptions.Exit(EX_CONFIG if found["problems"] else INCOMPLETE)


def _ask(options: Options) -> Reloaded:
    with _patience():
        try:
            answer: Reloaded = options.control().post("/reload")
        except NotRunning as error:
            if isinstance(error.__cause__, PermissionError):
                raise
            text = f"{error.message}\nIf the file names another state_dir than before: that needs a restart."
            raise NotRunning(text) from error
    return answer


@contextmanager
def _patience() -> Iterator[None]:
    """Say to people why it takes so long, if it does."""
    text = "Waiting for what was changed to come up, for half a minute at most …"
    timer = Timer(_SOON_S, click.echo, [text], {"err": True})
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
