"""A private MQTT broker on the loopback: Mosquitto if installed, else amqtt from this environment."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gateway.cli.demo.children import Children, DemoFailed
from gateway.cli.demo.ports import LOOPBACK, choose_port
from gateway.cli.demo.ready import accepts, wait_for

_PORT, _OTHER_PORTS = 1883, range(18830, 18930)
_START_TIMEOUT_S = 20.0
_AMQTT = "amqtt"
_MISSING = """no MQTT broker found. One of these helps:
  sudo apt-get install mosquitto
  pip install 'telemetry-gateway[demo]'     (amqtt, a broker in Python)"""


@dataclass(frozen=True, slots=True)
class Broker:
    """What was started."""

    name: str
    port: int

    @property
    def settings(self) -> str:
        """What gateway.toml says of it, besides its address."""
        # amqtt takes a CONNECT of MQTT 5 for a longer one of 3.1.1, and waits for the rest in silence.
        return 'protocol = "3.1.1"                      # amqtt knows no newer one\n' if self.name == _AMQTT else ""


def start_broker(folder: Path, children: Children) -> Broker:
    """Start a broker with a configuration of its own in ``folder``, and wait until it accepts connections.

    Raises
    ------
    DemoFailed
        There is none on this machine, or it doesn't start.
    """
    port = choose_port(_PORT, _OTHER_PORTS)
    name, command = _find(folder / "broker.conf", port)
    children.start("broker", command)
    wait_for(lambda: accepts(port), "the broker", children, _START_TIMEOUT_S)
    return Broker(name, port)


def _find(config: Path, port: int) -> tuple[str, list[str]]:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program:
        return "Mosquitto", _mosquitto(program, config, port)
    if find_spec("amqtt"):
        return _AMQTT, _amqtt(config, port)
    raise DemoFailed(_MISSING)


def _mosquitto(program: str, config: Path, port: int) -> list[str]:
    lines = [f"listener {port} {LOOPBACK}", "allow_anonymous true", "log_type error", "log_type warning"]
    if os.geteuid() == 0:
        # Else it changes to the user "mosquitto", and with that forgets that it shall end with its parent.
        lines.append("user root")
    config.write_text("\n".join(lines) + "\n", "utf-8")
    return [program, "-c", str(config)]


def _amqtt(config: Path, port: int) -> list[str]:
    config.write_text(
        f"listeners:\n  default:\n    type: tcp\n    bind: {LOOPBACK}:{port}\n"
        "plugins:\n  amqtt.plugins.authentication.AnonymousAuthPlugin:\n    allow_anonymous: true\n",
        "utf-8",
    )
    return [sys.executable, "-P", "-c", "from amqtt.scripts.broker_script import main; main()", "-c", str(config)]
