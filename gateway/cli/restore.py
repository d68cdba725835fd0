"""gatewayctl restore."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import Options
from gateway.cli.terminal import console, table
from gateway.cli.words import number, printable

if TYPE_CHECKING:  # at run time pydantic would slow down each TAB of shell completion
    from gateway.backup import Restored

_MOST_SHOWN = 20


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--journal-only", is_flag=True, help="Leave the configuration as it is.")
@click.option("--json", "as_json", is_flag=True, help="What became of it as JSON, for programs.")
@click.pass_obj
def restore(options: Options, file: Path, journal_only: bool, as_json: bool) -> None:
    """Put a backup in the place of what is there.

    It has the journal and the configuration. No gateway may run. Everything is checked before anything is touched, and
    what was there is moved aside, not deleted. Readings keep their numbers (seq); new ones go on far behind, so that no
    number that was given since the backup is given twice.
    """
    from gateway.backup import BackupError  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.backup import restore as restore_backup  # noqa: PLC0415  see above

    config = options.config_file()
    try:
        done = restore_backup(file, config, journal_only=journal_only)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(_plain(done), indent=2))
    else:
        _print(done, config)


def _plain(done: "Restored") -> dict[str, object]:
    return {
        "made": done.manifest.made,
        "journal": str(done.journal),
        "readings": done.manifest.readings,
        "devices": {
            name: {"readings": count, "seq": done.contents.last[name], "past": done.past[name]}
            for name, count in done.contents.readings.items()
        },
        "configuration": [str(path) for path in done.configuration],
        "kept": [str(path) for path in done.kept],
    }


def _problems(config: Path) -> list[str]:
    """Return what is in the way of a start with what was restored, such as files with secrets that aren't here."""
    from gateway.configuration import load  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.errors import ConfigError  # noqa: PLC0415  see above

    try:
        load(config, elsewhere=True)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def _print(done: "Restored", config: Path) -> None:
    shown = table("device", "readings", "newest seq", "goes on past", right=("readings", "newest seq", "goes on past"))
    devices = list(done.contents.readings.items())
    for name, count in devices[:_MOST_SHOWN]:
        last, past = done.contents.last[name], done.past[name]
        shown.add_row(printable(name), number(count), number(last), number(past))
    console().print(shown)
    if len(devices) > _MOST_SHOWN:
        click.echo(f"and {number(len(devices) - _MOST_SHOWN)} more")
    click.echo(f"{number(done.manifest.readings)} readings, as they were at {done.manifest.made}: {done.journal}")
    for path in done.configuration:
        click.echo(f"as in the backup: {path}")
    for path in done.kept:
        click.echo(f"what was there is kept: {path}")
    for problem in _problems(config):
        click.echo(f"warning: {problem}", err=True)
    click.echo(f"Start it: sudo systemctl start telemetry-gateway, or gatewayd --config {config}")
