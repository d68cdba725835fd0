"""The tables of gateway.toml that the core understands, as pydantic models.

Descriptions, defaults and examples here are the one source of the commented sample and of the JSON Schema.
"""

import re
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from gateway.quantities import Duration, Size

BASE = "base"
"""Key of the validation context: the folder that relative paths are relative to."""

_ORIGIN = re.compile(r"https?://[^/\s?#]+")


def unmet(expected: str, hint: str = "") -> PydanticCustomError:
    """Return what a validator raises, in the words of ``ConfigProblem``."""
    return PydanticCustomError("unmet", "expected {expected}", {"expected": expected, "hint": hint})


def _from_base(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get(BASE, "")) / path


def _check_loopback(host: str) -> str:
    if host == "localhost" or _is_loopback(host):
        return host
    raise unmet(
        '"127.0.0.1", "::1" or "localhost"',
        "there are no users and passwords, so only this machine may connect; from elsewhere use an SSH tunnel "
        "(ssh -L 8080:127.0.0.1:8080 pi) or a reverse proxy with its own authentication",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_origin(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        raise unmet('scheme, host and port of a page, such as "https://example.org"')
    return origin


def _written(default: object) -> Any:
    """Pass a default as people write it; validation makes of it what the field's type says."""
    return default


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class GatewaySettings(_Table):
    """The gateway itself."""

    name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=64,
        description="shown on the page; default: the host name",
        examples=["greenhouse"],
    )
    state_dir: Annotated[Path, AfterValidator(_from_base)] = Field(
        _written("state"), description="folder of journal, rejects and control socket; relative to this file"
    )

    @property
    def control_socket(self) -> Path:
        """Where gatewayctl finds the daemon."""
        return self.state_dir / "control.sock"


class WebSettings(_Table):
    """The page, the HTTP API and Socket.IO."""

    host: Annotated[str, AfterValidator(_check_loopback)] = Field(
        "127.0.0.1", description="loopback only, as there are no users and passwords"
    )
    port: int = Field(8080, ge=0, le=65535, description="0: any free port; the ready line in the log says which")
    allowed_origins: tuple[Annotated[str, AfterValidator(_check_origin)], ...] = Field(
        (), description="pages that may connect, besides the gateway's own", examples=[["https://example.org"]]
    )


class JournalSettings(_Table):
    """What is kept of the readings."""

    retention: Duration = Field(_written("30d"), description="older readings go")
    max_size: Size = Field(_written("1GiB"), description="then the oldest go")
    durability: Literal["process", "power"] = Field(
        "process",
        description="process: survives a crash of the daemon; power: also a power cut, by an fsync "
        "before each acknowledgement",
    )


class Settings(_Table):
    """The whole file; what is in an adapter's or a profile's table is left to these."""

    gateway: GatewaySettings = Field(_written({}))
    web: WebSettings = Field(_written({}))
    journal: JournalSettings = Field(_written({}))
    adapters: tuple[dict[str, object], ...] = Field((), description="the sources, one [[adapters]] table each")
    profiles: dict[str, dict[str, object]] = Field(
        default_factory=dict, description="what is expected of a device's values, by name"
    )
