"""The tables of gateway.toml that the core understands, as pydantic models.

Descriptions, defaults and examples here are the one source of the commented sample and of the JSON Schema.
"""

import re
import socket
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gateway.quantities import ConfigPath, Duration, Size

VERSION: Literal[1] = 1
"""Of the format of gateway.toml; one more when a file that was right would be read in another way."""
_ORIGIN = re.compile(r"https?://[^/\s?#]+")


def unmet(expected: str, hint: str = "") -> PydanticCustomError:
    """Return what a validator raises, in the words of ``ConfigProblem``."""
    return PydanticCustomError("unmet", "expected {expected}", {"expected": expected, "hint": hint})


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


def _check_network(network: str) -> str:
    try:
        ip_network(network, strict=False)
    except ValueError as error:
        raise unmet('an address or a network, such as "192.168.1.2" or "10.0.0.0/8"') from error
    return network


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GatewaySettings(_Table):
    """The gateway itself."""

    name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=64,
        description="shown on the page; default: the host name",
        examples=["greenhouse"],
    )
    state_dir: ConfigPath = Field(
        "state",
        validate_default=True,
        description="folder of journal, rejects and control socket; relative to this file",
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
    max_clients: int = Field(1000, ge=1, le=10_000, description="browsers that may be connected at a time")
    max_clients_per_address: int = Field(
        200, ge=1, le=10_000, description="of these, from one address; a house with one router is one address"
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_check_network)], ...] = Field(
        ("127.0.0.1", "::1"),
        description="addresses of reverse proxies: whom they name in X-Forwarded-For is believed, and they are not "
        "held to max_clients_per_address themselves",
    )


class JournalSettings(_Table):
    """What is kept of the readings."""

    retention: Duration = Field("30d", validate_default=True, description="older readings go")
    max_size: Size = Field("1GiB", validate_default=True, description="then the oldest go")
    durability: Literal["process", "power"] = Field(
        "process",
        description="process: survives a crash of the daemon; power: also a power cut, by an fsync "
        "before each acknowledgement",
    )


class Settings(_Table):
    """The whole file; what is in an adapter's or a profile's table is left to these."""

    version: Literal[1] = Field(
        VERSION, description="of the format of this file; a gateway that knows only older ones refuses it in words"
    )
    gateway: GatewaySettings = Field({}, validate_default=True)
    web: WebSettings = Field({}, validate_default=True)
    journal: JournalSettings = Field({}, validate_default=True)
    adapters: tuple[dict[str, object], ...] = Field((), description="the sources, one [[adapters]] table each")
    profiles: dict[str, dict[str, object]] = Field(
        default_factory=dict, description="what is expected of a device's values, by name"
    )
