"""Invented readings, for trying things out without hardware."""

import json
import math
import random
from collections.abc import Sequence

from pydantic import Field

from gateway.adapter import Adapter, AdapterConfig, Emit, PayloadConfig
from gateway.model import RawMessage
from gateway.quantities import Duration
from gateway.runtime import Event, monotonic, now

__all__ = ["Simulator", "SimulatorConfig"]

DAY_S = 86_400.0
DEVICE_KEY = "device"


class SimulatorConfig(AdapterConfig):
    """How many devices to invent, and how talkative they are."""

    devices: int = Field(3, ge=1, le=1000, description="how many devices")
    interval: Duration = Field("1s", ge=0.01, validate_default=True, description="between two readings of a device")
    seed: int = Field(1, description="the same seed gives the same course of values")
    profile: str | None = Field(None, description="what is expected of the values: a name under [profiles]")

    def payloads(self) -> Sequence[PayloadConfig]:
        """Return the one way in which all messages are made."""
        return (PayloadConfig(device_key=DEVICE_KEY, profile=self.profile),)


class Simulator(Adapter[SimulatorConfig]):
    """Climate sensors that don't exist."""

    Config = SimulatorConfig

    def run(self, emit: Emit, stop: Event) -> None:
        """Emit one message a device and interval until ``stop``."""
        sensors = [_Sensor(f"{self.config.name}-{n}", self.config.seed + n) for n in range(1, self.config.devices + 1)]
        step_s = self.config.interval / len(sensors)  # evenly, as sensors that nobody synchronises
        due = monotonic()
        emit.up()
        while not stop.is_set():
            for sensor in sensors:
                emit(RawMessage(sensor.payload(), now()))
                due = max(due + step_s, monotonic() - self.config.interval)  # no burst after a pause
                if _wait_until(due, stop):
                    return

    def probe(self) -> str:
        """Return what there is to find."""
        return f"{self.config.devices} invented devices"


class _Sensor:
    """Temperature and humidity over the day, each with a slow drift of its own; a battery that runs down."""

    def __init__(self, name: str, seed: int) -> None:
        self._name = name
        self._random = random.Random(seed)  # noqa: S311  no secret: the same seed, the same course
        self._offset = self._random.uniform(-2.0, 2.0)
        self._drift = 0.0
        self._battery = self._random.uniform(3.9, 4.1)

    def payload(self) -> bytes:
        """Return the next message in JSON."""
        self._drift = 0.98 * self._drift + self._random.gauss(0.0, 0.05)
        self._battery = max(3.3, self._battery - 0.00001)
        sun = math.sin(2.0 * math.pi * (now() % DAY_S) / DAY_S - math.pi / 2.0)
        temperature = 21.0 + self._offset + 3.0 * sun + self._drift
        message = {
            DEVICE_KEY: self._name,
            "temperature": round(temperature, 2),
            "humidity": round(min(95.0, max(15.0, 110.0 - 2.8 * temperature + 4.0 * self._drift)), 1),
            "battery": round(self._battery, 3),
        }
        return json.dumps(message).encode()


def _wait_until(due: float, stop: Event) -> bool:
    """Let others run, at least until ``due``; return whether ``stop`` came first."""
    while not stop.wait(min(max(due - monotonic(), 0.0), 1.0)):
        if monotonic() >= due:
            return False
    return True
