"""A group of commands of which only the one that is called gets imported, so that each starts fast."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn

import click

from gateway.errors import ConfigError

EX_CONFIG = 78
"""Exit status of a configuration error: sysexits.h."""


class ConfigFailure(click.ClickException):
    """A configuration that can't be used: its problems on stderr, a line each, and exit 78."""

    exit_code = EX_CONFIG

    def __init__(self, error: ConfigError) -> None:
        super().__init__(str(error))

    def show(self, file: Any = None) -> None:
        """Print the problems as they are: they begin with ``file:line``, for editors."""
        click.echo(self.message, file=file, err=file is None)


class LazyGroup(click.Group):
    """A group that knows where its commands are: ``{"name": "module:attribute"}``."""

    def __init__(self, *args: Any, commands_at: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names of all commands."""
        return sorted(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Import a command."""
        if cmd_name not in self._commands_at:
            return None
        module, _, attribute = self._commands_at[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; translate what is wrong with the configuration."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            _fail(error)


def _fail(error: ConfigError) -> NoReturn:
    raise ConfigFailure(error) from error
