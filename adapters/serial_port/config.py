"""The ``[[adapters]]`` table of a serial port."""

import os
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from gateway.adapter import AdapterConfig, PayloadConfig
from gateway.framing import Frame, LineFraming
from gateway.quantities import Size


class SerialConfig(AdapterConfig, PayloadConfig):
    """A port, its line settings, and how its bytes become readings."""

    url: str = Field(
        min_length=1,
        examples=["/dev/serial/by-id/usb-Arduino_Uno-if00"],
        description="a device path, best below /dev/serial/by-id; or any pyserial URL: socket://HOST:PORT, rfc2217://…",
    )
    baudrate: int = Field(9600, ge=50, le=20_000_000, description="bits a second, as the sensor sends")
    bytesize: Literal[5, 6, 7, 8] = Field(8, description="data bits")
    parity: Literal["N", "E", "O", "M", "S"] = Field("N", description="none, even, odd, mark, space")
    stopbits: float = Field(1, description="1, 1.5 or 2")
    xonxoff: bool = Field(False, description="software flow control")
    rtscts: bool = Field(False, description="hardware flow control")
    dtr: bool | None = Field(
        None,
        description="default: raised once, then left alone, so that a restart of the gateway resets no Arduino; "
        "true: raised at each opening and dropped at each closing; false: dropped",
    )
    rts: bool | None = Field(None, description="true: raised; false: dropped; default: as the system opens it")
    framing: Literal["line"] = Field("line", description="line: a message ends with a line feed")
    max_line: Size = Field("4KiB", validate_default=True, description="a longer line is rejected and skipped")

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        scheme, separator, _ = url.partition("://")
        if separator and (
            not scheme.isidentifier() or find_spec(f"serial.urlhandler.protocol_{scheme.lower()}") is None
        ):
            raise ValueError(f"expected a device path or a URL that pyserial knows; it doesn't know {scheme}://")
        return url

    @field_validator("stopbits")
    @classmethod
    def _check_stopbits(cls, stopbits: float) -> float:
        if stopbits not in (1, 1.5, 2):
            raise ValueError("expected 1, 1.5 or 2")
        return stopbits

    @model_validator(mode="after")
    def _check_device(self) -> "SerialConfig":
        if not (self.device or self.device_key):
            raise ValueError('device: expected the name of the device, or device_key = "…", the field that names it')
        return self

    def frames(self, data: bytes) -> Iterable[Frame]:
        """Return the lines in ``data``, whose last may come without its end."""
        return LineFraming(self.max_line).feed(data + b"\n")

    def claims(self) -> Sequence[str]:
        """Return the port, whichever of its names is written."""
        return (f"port {self.url if '://' in self.url else os.path.realpath(self.url)}",)

    def line_settings(self) -> dict[str, Any]:
        """Return what pyserial's constructor takes."""
        keys = ("baudrate", "bytesize", "parity", "stopbits", "xonxoff", "rtscts")
        return {key: getattr(self, key) for key in keys}
