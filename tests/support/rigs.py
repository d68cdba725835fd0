"""The other ends that the adapters' conformance suite needs, one rig a type of adapter.

A package with an adapter brings its rig under the entry point group ``gateway.conformance``, by the
name of the type; the project's own are listed here.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from tests.support.mosquitto import Mosquitto
from tests.support.ptys import VirtualPort

GROUP = "gateway.conformance"


class Rig(Protocol):
    """What an adapter talks to. Made with a folder of its own; ``start`` and ``stop`` come in turns."""

    table: Mapping[str, Any]
    """The adapter's table in gateway.toml, without name and type; the same over the rig's whole life."""
    other_end: bool
    """Whether there is one, to go away and to send messages; without, an adapter makes its own."""

    def start(self) -> None:
        """Bring the other end into being; when this returns, it can be connected to."""

    def stop(self) -> None:
        """Take it away, as a crash or a pulled cable would; do nothing if it isn't there."""

    def send(self, payload: bytes) -> None:
        """Let it send one message; ``payload`` has no line feed."""


class MqttRig:
    """A broker, and a client that publishes."""

    other_end = True

    def __init__(self, directory: Path) -> None:
        self._broker = Mosquitto(directory)
        self.table = {"port": self._broker.port, "routes": [{"topic": "sensors/{device}", "qos": 1}]}

    def start(self) -> None:
        self._broker.start()

    def stop(self) -> None:
        self._broker.kill()

    def send(self, payload: bytes) -> None:
        self._broker.publish("sensors/kitchen", payload)


class SerialRig:
    """A pseudo-terminal behind a link."""

    other_end = True

    def __init__(self, directory: Path) -> None:
        self._port = VirtualPort(directory / "port")
        self.table = {"url": str(self._port.link), "device": "bench"}

    def start(self) -> None:
        self._port.plug()

    def stop(self) -> None:
        self._port.unplug()

    def send(self, payload: bytes) -> None:
        self._port.write(payload + b"\n")


class SimulatorRig:
    """Nothing: the simulator needs nobody."""

    other_end = False

    def __init__(self, directory: Path) -> None:
        self.table = {"interval": "50ms"}

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def send(self, payload: bytes) -> None:
        raise AssertionError("nobody can send to the simulator")


OWN = {"mqtt": MqttRig, "serial": SerialRig, "simulator": SimulatorRig}


def make_rig(kind: str, directory: Path) -> Rig:
    """Return the rig of an adapter type."""
    if kind in OWN:
        return OWN[kind](directory)
    found = entry_points(group=GROUP, name=kind)
    assert found, f'adapter type "{kind}" has no rig: name one under the entry point group {GROUP}'
    rig: Rig = next(iter(found)).load()(directory)
    return rig
