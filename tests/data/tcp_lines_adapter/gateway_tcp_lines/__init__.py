"""Sensors that accept a connection and write a line a message."""

import socket
from collections.abc import Iterator

from pydantic import Field, model_validator

from gateway.adapter import Adapter, AdapterConfig, Emit, PayloadConfig
from gateway.errors import AdapterDown
from gateway.findings import Finding, Situation, error
from gateway.framing import LineFraming
from gateway.model import RawMessage
from gateway.runtime import Event, now

__all__ = ["TcpLines", "TcpLinesConfig"]

CONNECT_TIMEOUT_S = 2.0
TICK_S = 0.5


class TcpLinesConfig(AdapterConfig, PayloadConfig):
    """Where the sensor listens; how to read its lines comes from ``PayloadConfig``."""

    host: str = Field(min_length=1, examples=["192.168.1.20"], description="the sensor's name or address")
    port: int = Field(ge=1, le=65535, examples=[2000], description="where it listens")

    @model_validator(mode="after")
    def _check_device(self) -> "TcpLinesConfig":
        if not (self.device or self.device_key):
            raise ValueError("device: expected the name of the device, or device_key, the field that names it")
        return self


class TcpLines(Adapter[TcpLinesConfig]):
    """A client of one sensor."""

    Config = TcpLinesConfig

    def run(self, emit: Emit, stop: Event) -> None:
        """Pass on lines until ``stop``; raises ``AdapterDown`` when the sensor is away or hangs up."""
        with self._connect() as sensor:
            emit.up()
            framing = LineFraming()
            while not stop.is_set():
                for frame in framing.feed(self._receive(sensor)):
                    emit(RawMessage(frame.payload, now(), flaw=frame.flaw, size=frame.size))

    def probe(self) -> str:
        """Connect and hang up."""
        self._connect().close()
        return f"{self._where} accepts a connection"

    def examine(self, situation: Situation) -> Iterator[Finding]:
        """Try to connect, unless the gateway is connected: the sensor may take one client only."""
        if situation.connected:
            return
        try:
            self._connect().close()
        except AdapterDown as failure:
            remedy = f"is it on, and in this network? ping {self.config.host}"
            yield error("tcp-lines-unreachable", f"source {self.config.name}", str(failure), remedy)

    def _connect(self) -> socket.socket:
        try:
            return socket.create_connection((self.config.host, self.config.port), CONNECT_TIMEOUT_S)
        except OSError as error:
            raise AdapterDown(f"{self._where}: can't be connected to: {error}") from error

    def _receive(self, sensor: socket.socket) -> bytes:
        """Return what came within a tick, perhaps nothing."""
        sensor.settimeout(TICK_S)
        try:
            data = sensor.recv(4096)
        except TimeoutError:
            return b""
        except OSError as error:
            raise AdapterDown(f"{self._where}: the connection is lost: {error}") from error
        if not data:
            raise AdapterDown(f"{self._where}: the sensor hung up")
        return data

    @property
    def _where(self) -> str:
        return f"{self.config.host}:{self.config.port}"
