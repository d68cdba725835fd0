"""``gatewayctl demo``: the gateway on real input, without hardware."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click

from gateway.cli.demo.broker import start_broker
from gateway.cli.demo.children import Children, DemoFailed
from gateway.cli.demo.folder import only_demo_in
from gateway.cli.demo.guide import guide
from gateway.cli.demo.plan import Plan
from gateway.cli.demo.ports import choose_port
from gateway.cli.demo.ready import wait_for

_START_TIMEOUT_S = 30.0
_LOOK_EVERY_S = 0.2
_PYTHON = (sys.executable, "-P", "-m")
"""-P: no file of the current folder gets in between (a ``dns.py`` there would break eventlet)."""


@click.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Of the page.")
@click.option(
    "--state-dir",
    default="demo-state",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where configuration, journal and logs go; readings of earlier demos are shown again.",
)
@click.option("--duration", type=click.FloatRange(min=0), help="Seconds until it stops by itself.")
def demo(port: int, state_dir: Path, duration: float | None) -> None:
    """Run the gateway on demo sensors.

    Three speak MQTT, one a virtual serial port.

    Starts a broker (Mosquitto, else amqtt), the sensors and the daemon, and prints the address of the
    page. Ctrl-C stops everything that it started.
    """
    _on_signals(signal.default_int_handler)
    try:
        with only_demo_in(folder := state_dir.absolute()):
            _run(folder, port, duration)
    except DemoFailed as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _run(folder: Path, port: int, duration: float | None) -> None:
    children = Children(folder)
    try:
        _start(folder, port, children)
        _watch(children, duration)
    finally:
        _on_signals(signal.SIG_IGN)  # one Ctrl-C is enough: what follows has its own time limits
        children.stop()


def _start(folder: Path, wanted_port: int, children: Children) -> None:
    web_port = choose_port(wanted_port)
    if web_port != wanted_port:
        click.echo(f"Port {wanted_port} is taken; the page is on {web_port}.")
    broker = start_broker(folder, children)
    plan = Plan(folder, web_port, broker)
    plan.write()
    click.secho(plan.text, dim=True)
    children.start("sensors", [*_PYTHON, "gateway.cli.demo.sensors", str(broker.port), str(plan.serial_link)])
    wait_for(plan.serial_link.is_symlink, "the sensors' serial port", children, _START_TIMEOUT_S)
    children.start("gatewayd", [*_PYTHON, "gateway", "--config", str(plan.file)])
    wait_for(plan.answers, "the gateway", children, _START_TIMEOUT_S)
    click.echo(guide(plan))


def _watch(children: Children, duration: float | None) -> None:
    end = time.monotonic() + duration if duration is not None else float("inf")
    while time.monotonic() < end:
        children.check()
        time.sleep(_LOOK_EVERY_S)


def _on_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)
