"""gatewayctl bundle."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.control import Control, NotRunning, Refused
from gateway.cli.options import Options
from gateway.cli.words import size

if TYPE_CHECKING:  # at run time pydantic would slow down each TAB of shell completion
    from gateway.doctor import Facts


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-payloads", is_flag=True, help="With what was refused, and not only why.")
@click.pass_obj
def bundle(options: Options, file: Path, with_payloads: bool) -> None:
    """Write what a bug report needs to FILE, a .tar.gz.

    Secrets and readings aren't in it. Versions, configuration, status, what doctor finds, the end of the
    log, facts of the journal and reasons of rejects are. As root it sees more. Works also when the gateway doesn't run,
    or can't.
    """
    from gateway.bundle import Cleaning, collect, write  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.cli.doctor_facts import gather  # noqa: PLC0415  see above
    from gateway.doctor import Doctor  # noqa: PLC0415  see above

    facts = gather(options)
    cleaning = Cleaning(facts.path)
    cleaning.learn()
    files = collect(facts, Doctor(facts).examine(), _status(facts), cleaning, payloads=with_payloads)
    try:
        write(files, file)
    except FileExistsError as error:
        raise click.ClickException(f"{file}: is there already") from error
    except OSError as error:
        raise click.ClickException(f"{file}: {(error.strerror or str(error)).lower()}") from error
    click.echo(f"{file}: {size(file.stat().st_size)}; please look through it before you send it: tar tzf {file}")


def _status(facts: "Facts") -> object:
    if facts.control is None or facts.running is None:
        return None
    try:
        found: object = Control(facts.control, "gatewayd").get("/status")
    except (NotRunning, Refused):
        return None
    return found
