"""The demo's MQTT sensors: what each publishes when."""

import json
from abc import ABC, abstractmethod
from typing import ClassVar

from gateway.cli.demo.curves import Curve, clamp

Message = tuple[str, str]
"""Topic and payload."""


class Device(ABC):
    """A sensor; ``publish`` is called every ``period_s`` seconds."""

    name: ClassVar[str]
    period_s: ClassVar[float]

    @abstractmethod
    def publish(self, time_s: float) -> list[Message]:
        """Return what it says at ``time_s`` (seconds, any origin)."""


class Climate(Device):
    """Air in a greenhouse: one flat JSON object."""

    name = "greenhouse"
    period_s = 0.4

    def __init__(self) -> None:
        self._temperature = Curve(mean=24.0, swing=6.0, noise=0.05)
        self._humidity = Curve(mean=62.0, swing=14.0, noise=0.2, phase=0.5)
        self._battery = Curve(mean=3.02, swing=0.03, noise=0.001)

    def publish(self, time_s: float) -> list[Message]:
        """Be warm and dry at noon, cool and damp at night."""
        values = {
            "temperature": round(self._temperature.at(time_s), 2),
            "humidity": round(clamp(self._humidity.at(time_s), 0.0, 100.0), 1),
            "battery": round(self._battery.at(time_s), 3),
        }
        return [(f"sensors/{self.name}", json.dumps(values))]


class EnergyMeter(Device):
    """A mains meter: nested JSON, as Tasmota sends it."""

    name = "energy-meter"
    period_s = 0.25

    def __init__(self) -> None:
        self._base = Curve(mean=420.0, swing=180.0, noise=6.0)
        self._voltage = Curve(mean=230.0, swing=2.5, noise=0.2, phase=0.25)
        self._total_kwh = 3.2

    def publish(self, time_s: float) -> list[Message]:
        """Follow a base load, and a kettle for 12 of every 45 seconds."""
        kettle = 1850.0 if time_s % 45.0 < 12.0 else 0.0
        power = max(0.0, self._base.at(time_s) + kettle)
        self._total_kwh += power * self.period_s / 3.6e6
        values = {
            "Power": round(power),
            "Voltage": round(self._voltage.at(time_s), 1),
            "Total": round(self._total_kwh, 4),
        }
        return [(f"tele/{self.name}/SENSOR", json.dumps({"ENERGY": values}))]


class Soil(Device):
    """A soil probe with a bad radio: plain values, a topic each; silent for 30 of every 90 seconds."""

    name = "soil-bed"
    period_s = 0.5

    def __init__(self) -> None:
        self._moisture = Curve(mean=46.0, swing=8.0, noise=0.1, phase=0.3)
        self._temperature = Curve(mean=17.5, swing=1.5, noise=0.02, phase=-0.1)
        self._since_s = float("inf")

    def publish(self, time_s: float) -> list[Message]:
        """Tell moisture, temperature, and whether the valve is open."""
        self._since_s = min(self._since_s, time_s)
        if (time_s - self._since_s) % 90.0 >= 60.0:
            return []
        moisture = clamp(self._moisture.at(time_s), 0.0, 100.0)
        values = {
            "moisture": f"{moisture:.1f}",
            "temperature": f"{self._temperature.at(time_s):.2f}",
            "watering": "true" if moisture < 42.0 else "false",
        }
        return [(f"plain/{self.name}/{metric}", value) for metric, value in values.items()]
