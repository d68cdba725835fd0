"""Sensors that speak and viewers who watch them, in one thread, so that nothing here waits for anything else here."""

import json
import selectors
import socket
import time

import paho.mqtt.client as mqtt

from tests.support.raw_client import RawClient

_READINGS = b'42/telemetry,["readings",'


class Installation:
    """An installation as it may stand somewhere; a context manager.

    Parameters
    ----------
    broker_port, port
        Of the MQTT broker, and of the gateway's page.
    devices
        How many there are; each viewer watches all of them.
    rate
        Messages a second of all devices together, one at a time. Each says when it was sent.
    viewers
        How many there are.
    """

    def __init__(self, broker_port, port, *, devices, rate, viewers):
        self.devices = [f"d{number}" for number in range(devices)]
        self._every_s = 1 / rate
        self._broker = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._broker.connect("127.0.0.1", broker_port, keepalive=3600)
        self._broker.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector = selectors.DefaultSelector()
        self._viewers = [self._viewer(port) for _ in range(viewers)]
        self._sent = 0
        self._lags = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for viewer in self._viewers:
            viewer.socket.close()
        self._broker.disconnect()
        self._selector.close()

    def _viewer(self, port):
        viewer = RawClient(port)
        viewer.join(self.devices[0])
        for device in self.devices[1:]:
            viewer.send(b'42/telemetry,["join",{"device":"%s"}]' % device.encode())
        self._selector.register(viewer.socket, selectors.EVENT_READ, viewer)
        return viewer

    def run(self, seconds):
        """Go on for so long; return how many seconds each reading that came took from its sensor to a viewer."""
        self._lags = []
        due = time.monotonic()
        end = due + seconds
        while due < end:
            self._look(max(0.0, due - time.monotonic()))
            if time.monotonic() >= due:
                self._speak()
                due += self._every_s
        return self._lags

    def _speak(self):
        device = self.devices[self._sent % len(self.devices)]
        self._broker.publish(f"sensors/{device}", b'{"sent":%.6f}' % time.time())
        self._sent += 1

    def _look(self, timeout_s):
        ready = [key.data for key, _ in self._selector.select(timeout_s)]
        at = time.time()
        for viewer in ready:
            data = viewer.socket.recv(65536)
            assert data, "a viewer was thrown out"
            viewer.received += data
        for viewer in ready:
            self._read(viewer, at)

    def _read(self, viewer, at):
        while (frame := viewer.whole_frame()) is not None:
            _, payload = frame
            if payload == b"2":
                viewer.send(b"3")
            elif payload.startswith(_READINGS):
                readings = json.loads(payload[len(_READINGS) : -1])["readings"]
                self._lags += [at - reading["values"]["sent"] for reading in readings]
