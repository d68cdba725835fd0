"""gatewayctl check."""

from pathlib import Path

import click

from gateway.cli.options import Options


@click.command()
@click.argument("file", type=click.Path(path_type=Path, readable=False), required=False)
@click.pass_obj
def check(options: Options, file: Path | None) -> None:
    """Check a configuration; no daemon is needed.

    FILE defaults to the configuration that the daemon would take; what the folder conf.d beside it adds is checked too.
    Exits with 0 if it can be used; else with 78, and each problem on stderr: file:line, key, what was expected, what
    was found.
    """
    from gateway.configuration import load  # noqa: PLC0415  not at each TAB of shell completion

    path = file or options.config_file()
    found = load(path, elsewhere=True)
    adapters, profiles = _counted(len(found.adapters), "adapter"), _counted(len(found.profiles), "profile")
    for warning in found.remarks:
        click.echo(f"warning: {warning}", err=True)
    for added in found.added:
        click.echo(f"{added}: added")
    click.echo(f"{path}: {adapters}, {profiles}: OK")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
