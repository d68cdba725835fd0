"""The demo's sensors, in a process of their own: they know the broker and the serial port, not the gateway.

python -m gateway.cli.demo.sensors BROKER_PORT SERIAL_LINK
"""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gateway.cli.demo.devices import Climate, Device, EnergyMeter, Soil
from gateway.cli.demo.ports import LOOPBACK
from gateway.cli.demo.serial_sensor import PERIOD_S, SerialSensor

_MAX_QUEUED = 100
"""Messages that a sensor keeps while the broker is away."""


@dataclass(slots=True)
class Job:
    """Something done again and again."""

    period_s: float
    act: Callable[[float], None]
    due_s: float = 0.0


def run(jobs: Sequence[Job]) -> None:
    """Do each job now and every ``period_s`` from now on, for ever."""
    while True:
        now = time.monotonic()
        for job in jobs:
            if job.due_s <= now:
                job.act(time.time())
                job.due_s = now + job.period_s
        time.sleep(max(0.0, min(job.due_s for job in jobs) - time.monotonic()))


def connect(device: Device, broker_port: int) -> Client:
    """Return the device's own connection to the broker; paho's thread keeps it up."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"demo-{device.name}")
    client.max_queued_messages_set(_MAX_QUEUED)
    client.reconnect_delay_set(1, 5)
    client.connect_async(LOOPBACK, broker_port)
    client.loop_start()
    return client


def publisher(device: Device, client: Client) -> Job:
    """Return the job that publishes what ``device`` says."""

    def act(time_s: float) -> None:
        for topic, payload in device.publish(time_s):
            client.publish(topic, payload, qos=1)

    return Job(device.period_s, act)


def main(broker_port: int, serial_link: Path) -> None:
    """Run all sensors until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    serial = SerialSensor(serial_link)
    serial.open()
    devices = (Climate(), EnergyMeter(), Soil())
    jobs = [publisher(device, connect(device, broker_port)) for device in devices]
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(serial):
        run([*jobs, Job(PERIOD_S, serial.write)])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
