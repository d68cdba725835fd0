"""A viewer behind a slow line: takes so many bytes a second, and answers pings."""

import json
import threading
import time

from tests.support.raw_client import CLOSE, TEXT, RawClient

_TICK_S = 0.1


class PacedViewer:
    """Watches one device; a context manager.

    ``rate`` is how many bytes it takes a second, 0: none, None: as fast as they come; it may be changed
    at any time. ``events`` keeps all that came: (when, in Unix seconds; its name; its data).
    """

    def __init__(self, port, device, *, rate, receive_buffer=4096):
        self.rate = rate
        self.events = []
        self.ended = False
        self._client = RawClient(port, receive_buffer=receive_buffer)
        self._client.join(device)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10.0)
        self.close()

    def join(self, device):
        """Watch one more."""
        self._client.send(b'42/telemetry,["join",{"device":"%s"}]' % device.encode())

    def close(self):
        """Leave."""
        self._client.socket.close()

    def received(self):
        """Return what came of readings and gaps: (when, from, to, readings or the gap's reason)."""
        found = []
        for at, name, data in list(self.events):
            if name == "gap":
                found.append((at, data["from"], data["to"], data["reason"]))
            elif name == "readings":
                found.append((at, data["readings"][0]["seq"], data["readings"][-1]["seq"], data["readings"]))
        return found

    def _read(self):
        self._client.socket.settimeout(_TICK_S)
        while not (self._stop.is_set() or self.ended):
            rate = self.rate
            if rate is not None:
                time.sleep(_TICK_S)
            if rate != 0:
                self._take(65536 if rate is None else int(rate * _TICK_S))

    def _take(self, size):
        try:
            data = self._client.socket.recv(size)
        except TimeoutError:
            return
        except ConnectionError:
            data = b""
        self.ended = not data
        self._client.received += data
        while (frame := self._client.whole_frame()) is not None:
            self._handle(*frame)

    def _handle(self, opcode, payload):
        if opcode == CLOSE:
            self.ended = True
        elif payload == b"2":
            self._answer()
        elif opcode == TEXT and payload.startswith(b"42/telemetry,"):
            name, data = json.loads(payload[len(b"42/telemetry,") :])
            self.events.append((time.time(), name, data))

    def _answer(self):
        try:
            self._client.send(b"3")
        except ConnectionError:  # it was dropped before it came to this ping
            self.ended = True
