"""A serial port: reads what a sensor writes, over unplugging and replugging."""

from collections.abc import Iterator
from dataclasses import replace

from adapters.serial_port.config import SerialConfig
from adapters.serial_port.ports import Port, open_port
from gateway.adapter import Adapter, Emit
from gateway.errors import AdapterDown
from gateway.framing import Frame, LineFraming
from gateway.model import RawMessage
from gateway.runtime import Event, Worker, now

__all__ = ["SerialConfig", "SerialPort"]

TICK_S = 0.25
QUIET_S, QUIET_BITS = 0.05, 50
"""A line that is silent for this long is between two messages: five characters, or the latency of USB."""
CUT = "the port was opened in the middle of this"


class SerialPort(Adapter[SerialConfig]):
    """A sensor on a port of this machine, or behind a pyserial URL."""

    Config = SerialConfig

    def run(self, emit: Emit, stop: Event) -> None:
        """Read until ``stop``; raises ``AdapterDown`` when the port can't be opened or goes away."""
        worker = Worker(f"port {self.config.name}")
        try:
            port = open_port(self.config, worker)
            try:
                self._read(port, emit, stop)
            except OSError as error:
                raise AdapterDown(f"{self.config.url}: unplugged, or the connection is lost") from error
            finally:
                port.close()
        finally:
            worker.close()

    def probe(self) -> str:
        """Open the port and close it."""
        worker = Worker(f"port {self.config.name}")
        try:
            open_port(self.config, worker).close()
        finally:
            worker.close()
        return f"{self.config.url} can be opened"

    def _read(self, port: Port, emit: Emit, stop: Event) -> None:
        first = port.read(max(QUIET_S, QUIET_BITS / self.config.baudrate))
        frames = _Frames(self.config.max_line, cut=bool(first))
        emit.up()
        self._emit(frames, first, emit)
        while not stop.is_set():
            self._emit(frames, port.read(TICK_S), emit)

    @staticmethod
    def _emit(frames: "_Frames", data: bytes, emit: Emit) -> None:
        arrived = now()
        for frame in frames.feed(data):
            emit(RawMessage(frame.payload, arrived, flaw=frame.flaw))


class _Frames:
    """Messages in the bytes of a port that was just opened.

    Where bytes came at once, the sensor was in the middle of a message: ``1.4`` of ``21.4``. What
    is there of it is passed on with that flaw, for it must neither be believed nor vanish.
    """

    def __init__(self, max_line_bytes: int, *, cut: bool) -> None:
        self._framing = LineFraming(max_line_bytes)
        self._cut = cut

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes; return the messages that they complete."""
        if self._cut:
            rest, end, data = data.partition(b"\n")
            yield from (replace(frame, flaw=frame.flaw or CUT) for frame in self._framing.feed(rest + end))
            self._cut = not end
        yield from self._framing.feed(data)
