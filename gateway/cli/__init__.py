"""gatewayctl: one module a command."""

from pathlib import Path

import click

from gateway.cli.lazy import LazyGroup
from gateway.cli.options import Options

_COMMANDS = {
    "backup": "gateway.cli.backup:backup",
    "bundle": "gateway.cli.bundle:bundle",
    "check": "gateway.cli.check:check",
    "config": "gateway.cli.config:config",
    "demo": "gateway.cli.demo:demo",
    "devices": "gateway.cli.devices:devices",
    "doctor": "gateway.cli.doctor:doctor",
    "explain": "gateway.cli.explain:explain",
    "export": "gateway.cli.export:export",
    "rejects": "gateway.cli.rejects:rejects",
    "reload": "gateway.cli.reload:reload",
    "restore": "gateway.cli.restore:restore",
    "status": "gateway.cli.status:status",
    "tail": "gateway.cli.tail:tail",
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="The configuration of the gateway; default: $GATEWAY_CONFIG, ./gateway.toml, "
    "/etc/telemetry-gateway/gateway.toml, the first that exists.",
)
@click.option(
    "--socket",
    type=click.Path(path_type=Path, readable=False),
    metavar="PATH",
    help="The control socket of the daemon; default: where the configuration puts it.",
)
@click.version_option(package_name="telemetry-gateway", prog_name="gatewayctl")
@click.pass_context
def cli(context: click.Context, config: Path | None, socket: Path | None) -> None:
    """Look into a running telemetry gateway, and check its configuration."""
    context.obj = Options(config, socket)


def main() -> None:
    """Run gatewayctl: the console script."""
    cli(prog_name="gatewayctl")
