"""gatewayctl config."""

import json

import click


@click.group()
def config() -> None:
    """Print what a configuration can be."""


@config.command()
@click.option("--service", is_flag=True, help="As the Debian package has it: no source yet, state in /var/lib.")
def sample(service: bool) -> None:
    """Print a commented gateway.toml with every key there is."""
    from gateway.cli import sample as samples  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.cli import schema as schemas  # noqa: PLC0415
    from gateway.registry import Registry  # noqa: PLC0415

    build = samples.build_for_service if service else samples.build
    click.echo(build(schemas.build(Registry.installed())), nl=False)


@config.command()
def schema() -> None:
    """Print the JSON Schema of gateway.toml, for editors."""
    from gateway.cli import schema as schemas  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.registry import Registry  # noqa: PLC0415

    click.echo(json.dumps(schemas.build(Registry.installed()), indent=2, ensure_ascii=False))
