"""gatewayd: makes the standard library green before anything else is imported, then runs the daemon."""

import faulthandler
import os
import warnings

# All stacks on stderr, if the process is aborted: by systemd, whose watchdog heard nothing, or by a crash in C.
faulthandler.enable()

# greendns reads neither nsswitch nor mDNS, so that homeassistant.local would not resolve (docs/traps.md 6.4)
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet

eventlet.monkey_patch()

import logging
import sys
from pathlib import Path

import click

from gateway.configuration import find_config, load
from gateway.daemon import VERSION, Daemon
from gateway.errors import CannotStart, ConfigError, JournalDown
from gateway.logs import FORMATS, set_up
from gateway.memory import few_arenas
from gateway.runtime import resolve_in_background

_UMASK = 0o027
"""What sensors say is for the gateway's user and group."""
EXIT_CONFIG = 78
"""EX_CONFIG of sysexits.h; systemd doesn't restart after it."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, readable=False),
    help="Configuration file. Default: $GATEWAY_CONFIG, ./gateway.toml, /etc/telemetry-gateway/gateway.toml.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    envvar="GATEWAY_LOG_LEVEL",
    default="info",
    show_default=True,
)
@click.option(
    "--log-format",
    type=click.Choice(sorted(FORMATS)),
    envvar="GATEWAY_LOG_FORMAT",
    help="Default: fields for systemd's journal where that reads stderr, else plain.",
)
@click.version_option(VERSION, prog_name="gatewayd")
def main(config: Path | None, log_level: str, log_format: str | None) -> None:
    """Run the telemetry gateway in the foreground; SIGTERM or Ctrl-C ends it in order."""
    try:
        configuration = load(find_config(config))
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_CONFIG)
    os.umask(_UMASK)
    few_arenas()
    handler = set_up(log_level.upper(), log_format, configuration.secrets.hide)
    for warning in configuration.remarks:
        logging.getLogger(__name__).warning("%s", warning)
    resolve_in_background()
    try:
        Daemon(configuration).run()
    except (CannotStart, JournalDown) as error:
        click.echo(f"gatewayd: {error}", err=True)
        sys.exit(1)
    finally:
        handler.close()


if __name__ == "__main__":
    main()
