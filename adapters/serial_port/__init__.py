"""A serial port: reads what a sensor writes, over unplugging and replugging."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from adapters.serial_port.config import SerialConfig
from adapters.serial_port.examine import examine
from adapters.serial_port.ports import Port, open_port
from gateway.adapter import Adapter, Emit
from gateway.errors import AdapterDown
from gateway.findings import Finding, Situation
from gateway.framing import Frame, LineFraming
from gateway.model import RawMessage
from gateway.runtime import Event, Worker, now

__all__ = ["SerialConfig", "SerialPort"]

TICK_S = 0.25
QUIET_S, QUIET_BITS = 0.05, 50
"""A line that is silent for this long is between two messages: five characters, or the latency of USB."""
CUT = "the line may have begun before the port was opened"
ENDLESS = "the port was closed, or lost, before the end of the line came"


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

    def examine(self, situation: Situation) -> Iterable[Finding]:
        """Look at the port without opening it."""
        return examine(self.config, situation)

    def _read(self, port: Port, emit: Emit, stop: Event) -> None:
        first = port.read(max(QUIET_S, QUIET_BITS / self.config.baudrate))
        frames = _Frames(self.config.max_line, cut=bool(first))
        emit.up()
        try:
            _emit_all(frames.feed(first), emit)
            while not stop.is_set():
                _emit_all(frames.feed(port.read(TICK_S)), emit)
        finally:
            _emit_all(frames.end(), emit)


def _emit_all(frames: Iterable[Frame], emit: Emit) -> None:
    arrived = now()
    emit.many([RawMessage(frame.payload, arrived, flaw=frame.flaw, size=frame.size) for frame in frames])


class _Frames:
    """Messages in the bytes of a port that was just opened.

    Where bytes came at once, the sensor may have been in the middle of a message: ``1.4`` of ``21.4``
    looks as good as any. What is there of the first is passed on with that flaw, and so is the beginning of
    the last: neither may be believed, or vanish.
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

    def end(self) -> Iterator[Frame]:
        """Return what is there of a message whose end didn't come."""
        return (replace(frame, flaw=frame.flaw or ENDLESS) for frame in self._framing.feed(b"\n"))
