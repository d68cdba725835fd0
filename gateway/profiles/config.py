"""The ``[profiles.NAME]`` tables of gateway.toml."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.model import MetricName
from gateway.profiles.profile import MetricType

Extra = Literal["allow", "ignore", "forbid"]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class MetricConfig(BaseModel):
    """What is expected of one metric."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: MetricType = Field("float", description="float, int (a whole number), bool (true or false) or str (text)")
    unit: str = Field("", max_length=32, description="shown beside the value", examples=["°C"])
    label: str = Field("", max_length=64, description="shown instead of the name", examples=["Air temperature"])
    min: Finite | None = Field(None, description="a smaller value is rejected", examples=[-40])
    max: Finite | None = Field(None, description="a larger value is rejected", examples=[85])
    required: bool = Field(False, description="true: a reading without this metric is rejected")
    scale: Finite = Field(1.0, description="value * scale + offset is kept, and compared with min and max")
    offset: Finite = Field(0.0, description="added after scale")

    @model_validator(mode="after")
    def _check_numeric(self) -> "MetricConfig":
        if self.type in ("bool", "str"):
            for key in ("min", "max", "scale", "offset"):
                if key in self.model_fields_set:
                    raise ValueError(f'{key}: expected only with type = "float" or "int"')
        if self.type == "int":
            for key, value in (("scale", self.scale), ("offset", self.offset)):
                if not value.is_integer():
                    raise ValueError(f'{key}: expected a whole number, got {value}; type = "float" takes others')
        return self

    @model_validator(mode="after")
    def _check_range(self) -> "MetricConfig":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min: expected at most max, {self.max:.15g}, got {self.min:.15g}")
        if self.scale == 0:
            raise ValueError("scale: expected another number than 0, got 0")
        return self


class ProfileConfig(BaseModel):
    """What is expected of a device's values: metric by metric, or by a pydantic model of one's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    extra: Extra = Field("allow", description="metrics that the profile doesn't name: allow, ignore, forbid")
    metrics: dict[MetricName, MetricConfig] = Field(
        default_factory=dict, description="what is expected of each metric, by name"
    )
    model: str | None = Field(
        None, description="module:Class, a pydantic model instead of metrics", examples=["my_sensors.models:Weather"]
    )

    @model_validator(mode="after")
    def _check_model_alone(self) -> "ProfileConfig":
        if self.model is not None:
            for key in ("metrics", "extra"):
                if key in self.model_fields_set:
                    raise ValueError(f"{key}: expected only without model; the class says it")
        elif self.extra != "allow" and not self.metrics:
            raise ValueError(f'metrics: expected at least one, as extra = "{self.extra}" takes no others')
        return self
