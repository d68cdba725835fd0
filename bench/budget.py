"""Where a reading's microseconds go in Python, stage by stage. Usage: python -m bench.budget

Through the real parts, without kernel, hub and journal: for each stage the least of many repeats, so that it
can be compared on a machine that does other things too. docs/performance.md says what to make of it.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import gc
import timeit
from contextlib import nullcontext

from adapters.mqtt import Mqtt, MqttConfig
from adapters.mqtt.inbound import Inbound
from adapters.mqtt.publication import split
from gateway import runtime
from gateway.deliveries import Deliveries
from gateway.devices import Devices
from gateway.intake import Intake
from gateway.journal import Committed
from gateway.ledger import Ledger
from gateway.live import Live
from gateway.overview import Overview
from gateway.pipeline import Pipeline, Sinks
from gateway.profiles import ProfileConfig, build
from gateway.supervisor import Supervisor

DEVICES = 50
A_COMMIT = 300
PROFILE = {
    "temperature": {"type": "float", "unit": "°C", "min": -60, "max": 100},
    "humidity": {"type": "float", "unit": "%", "min": 0, "max": 100},
}


def packet(n: int, qos: int) -> bytes:
    """Return a PUBLISH of MQTT 5, as a broker sends it."""
    topic = b"sensors/dev%d" % (n % DEVICES)
    payload = b'{"ts":%.6f,"temperature":%.2f,"humidity":%.1f}' % (1767225600 + n / 1000, 20 + n % 7, 40 + n % 11)
    body = len(topic).to_bytes(2, "big") + topic + (n % 65535 + 1).to_bytes(2, "big") * qos + b"\0" + payload
    return bytes([0x30 | qos << 1, len(body)]) + body


class NoJournal:
    def __init__(self) -> None:
        self.entries = []
        self.append_all = self.entries.extend


class NoRoom:
    def occupied(self, room):
        return False

    def together(self):
        return nullcontext()


class NoClient:
    def acknowledge(self, mids):
        pass


class Gateway:
    """What a message goes through on the hub."""

    def __init__(self, qos: int) -> None:
        route = {"topic": "sensors/{device}", "qos": qos, "profile": "climate"}
        config = MqttConfig.model_validate({"name": "source", "type": "mqtt", "host": "127.0.0.1", "routes": [route]})
        self.profile = build("climate", ProfileConfig.model_validate({"metrics": PROFILE}))
        profiles = {"climate": self.profile}
        self.deliveries, self.journal = Deliveries(), NoJournal()
        self.intake = Intake.of(config, profiles, self.deliveries)
        devices = Devices(runtime.now, runtime.monotonic)
        overview = Overview(devices, NoRoom(), runtime.monotonic)
        sinks = Sinks(Ledger(["source"]), devices, self.deliveries, Live(NoRoom(), None), overview)
        self.pipeline = Pipeline({"source": self.intake}, self.journal, sinks, profiles)
        self.supervisor = Supervisor(Mqtt(config), lambda messages: self.pipeline.take("source", messages))
        self.client = NoClient()
        self.messages = []
        self.stream = b"".join(packet(n, qos) for n in range(A_COMMIT))
        self.publications = self.split()
        self.receive(self.messages.extend)

    def split(self):
        return split(self.stream, 0, runtime.now(), has_properties=True, most=A_COMMIT, most_bytes=1 << 20)[0]

    def receive(self, take) -> None:
        self.inbound = Inbound(self.client, take)
        self.client.on_publications(self.publications)

    def read(self) -> None:
        for message in self.messages:
            self.intake.read(message)

    def take_in(self) -> None:
        for message in self.messages:
            self.intake.take(message)

    def queue(self) -> None:
        self.journal.entries.clear()
        self.pipeline.take("source", self.messages)

    def emit(self) -> None:
        self.journal.entries.clear()
        self.supervisor.many(self.messages)

    def commit(self) -> None:
        self.pipeline.committed(Committed(list(self.journal.entries)))
        self.inbound.flush()

    def all(self) -> None:
        self.journal.entries.clear()
        self.publications = self.split()
        self.receive(self.supervisor.many)
        self.commit()


def us(function) -> float:
    function()
    return 1e6 * min(timeit.repeat(function, number=1, repeat=300)) / A_COMMIT


def stages(gateway: Gateway):
    """Yield each stage and its µs; stages that contain others are told by the difference."""
    yield "cut out of what was read", us(gateway.split)
    yield "what settles it", us(lambda: gateway.receive(lambda _: None))
    read = us(gateway.read)
    yield "route, decode, time, profile, encode, Entry", read
    taken = us(gateway.take_in)
    yield "was it delivered before?", taken - read
    queued = us(gateway.queue)
    yield "ledger, skew", queued - taken
    yield "sign of life of the source", us(gateway.emit) - queued
    gateway.journal.entries.clear()
    gateway.receive(gateway.supervisor.many)
    yield "after the commit: ledger, settled, latest, overview", us(gateway.commit)
    yield "all of it in one go", us(gateway.all)


def main() -> None:
    gc.freeze()
    print("| µs a message | QoS 0 | QoS 1 |\n|---|---|---|")
    for (name, first), (_, second) in zip(stages(Gateway(0)), stages(Gateway(1)), strict=True):
        print(f"| {name} | {first:.1f} | {second:.1f} |")


if __name__ == "__main__":
    main()
