"""gatewayctl backup."""

from pathlib import Path

import click

from gateway.cli.options import Options
from gateway.cli.words import number, printable, size


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Overwrite FILE if it is there.")
@click.option("--json", "as_json", is_flag=True, help="The manifest as JSON, for programs.")
@click.pass_obj
def backup(options: Options, file: Path, force: bool, as_json: bool) -> None:
    """Write journal and configuration to FILE, a .tar.gz.

    The gateway may run. It takes no more than half of the disk's time. Passwords that are written in the configuration
    are in FILE, which its owner alone can read; files with secrets that the configuration names are not.
    """
    from gateway.backup import BackupError, make  # noqa: PLC0415  not at each TAB of shell completion

    try:
        made = make(options.config_file(), options.journal(), file, overwrite=force)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(made.model_dump_json(indent=2))
        return
    counted = f"{number(made.readings)} readings of {number(len(made.devices))} devices"
    click.echo(f"{file}: {counted}, the configuration; {size(file.stat().st_size)}")
    for path in made.left_out:
        click.echo(f"not in it, as it is a secret: {printable(path)}")
