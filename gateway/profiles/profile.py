"""What a profile is, whichever way it was written."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.model import Value

MetricType = Literal["float", "int", "bool", "str"]


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What the page needs to show a metric."""

    type: MetricType
    unit: str = ""
    label: str = ""
    min: float | None = None
    max: float | None = None

    def describe(self) -> dict[str, object]:
        """Return the metric as DEVICE of docs/contract.md has it: only what is known."""
        known = {"unit": self.unit or None, "label": self.label or None, "min": self.min, "max": self.max}
        return {"type": self.type} | {key: value for key, value in known.items() if value is not None}


class Profile(ABC):
    """What is expected of a device's values."""

    def __init__(self, name: str, metrics: Mapping[str, MetricInfo], text_fields: frozenset[str] = frozenset()) -> None:
        self.name = name
        self.metrics = metrics
        """By the names that ``validate`` gives them."""
        self.text_fields = text_fields
        """Fields that are text even where they look like numbers, by the names that the sensor gives them."""

    def left_out(self, fields: Mapping[str, object]) -> tuple[str, ...]:  # noqa: ARG002  for those that leave out
        """Return the names of those ``fields`` that ``validate`` passes over without a word."""
        return ()

    @abstractmethod
    def validate(self, fields: dict[str, object]) -> dict[str, Value]:
        """Return the metrics that ``fields`` give: plain, finite, bounded.

        Raises
        ------
        Rejected
            With every field, what was expected and what was found, or the first few of them.
        """
