"""gatewayctl config."""

import json

import click


@click.group()
def config() -> None:
    """Print what a configuration can be."""


@config.command()
def sample() -> None:
    """Print a commented gateway.toml with every key there is."""
    from gateway.cli import sample as samples  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.cli import schema as schemas  # noqa: PLC0415
    from gateway.registry import Registry  # noqa: PLC0415

    click.echo(samples.build(schemas.build(Registry.installed())), nl=False)


@config.command()
def schema() -> None:
    """Print the JSON Schema of gateway.toml, for editors."""
    from gateway.cli import schema as schemas  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.registry import Registry  # noqa: PLC0415

    click.echo(json.dumps(schemas.build(Registry.installed()), indent=2, ensure_ascii=False))
