"""One small class per peer: how to start it, feed it and subscribe to it.

To add a peer, subclass Peer, set `name`, write command() and drain(), and
register it with @peer. See README.md.
"""

import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

WORK = os.environ.get("BENCH_WORK", os.path.join(tempfile.gettempdir(), "bench-work"))
HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = sys.executable  # the peers in Python run on what this project is locked to
SOURCE, PEER, SINK, SINK_WS = 21830, 21880, 21840, 21841  # ports
PEERS = {}


def peer(cls):
    PEERS[cls.name] = cls()
    return cls


def mosquitto_conf(path, *lines):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write("\n".join(("allow_anonymous true", "log_type error", "set_tcp_nodelay true", *lines)) + "\n")
    return ["mosquitto", "-c", path]


def upgrades(port, path, headers=""):
    """Does a WebSocket upgrade succeed?"""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            s.settimeout(2)
            s.sendall(
                (
                    f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    f"Sec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1:{port}\r\n{headers}\r\n"
                ).encode()
            )
            return b" 101" in s.recv(200)
    except OSError:
        return False


class Peer:
    """Defaults: fed through the source broker; a Socket.IO server on PEER."""

    name = ""
    warmup = 1.5  # seconds between ready and the first subscriber
    env = {}
    cwd = None

    def supports(self, sc):
        """False, or a reason why not, for scenarios this peer cannot serve."""
        return True

    def brokers(self, sc):
        """Broker processes beside the peer: {name: command}. The first is the source."""
        window = [f"max_inflight_messages {sc.inflight}"] if sc.inflight else []
        return {"source": mosquitto_conf(f"{WORK}/run/source.conf", *window, f"listener {SOURCE} 127.0.0.1")}

    def command(self, sc):
        raise NotImplementedError

    def publish(self, sc):
        """host port and qos|line, topic, payload of mqttpub."""
        return ("127.0.0.1", SOURCE, sc.qos, "sensors/dev%d", "std")

    def ready(self, sc):
        """Would a subscriber be served now? Asked every 10 ms from the start on."""
        return upgrades(PEER, "/socket.io/?EIO=4&transport=websocket")

    def warm_up(self, sc):
        """After ready and before the first subscriber: let it finish its start."""
        time.sleep(self.warmup)

    def drain(self, sc):
        """Options of wsdrain for this peer, then HOST PORT PATH."""
        return [
            "--mode",
            "sio",
            "--event",
            '0["join",{"device":"dev%d"}]',
            "127.0.0.1",
            PEER,
            "/socket.io/?EIO=4&transport=websocket",
        ]


@peer
class Ours(Peer):
    """This project, as its README starts it."""

    name = "ours"

    def command(self, sc):
        home = f"{WORK}/run/{self.name}"
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        with open(f"{home}/gateway.toml", "w") as f:
            f.write(
                f'[gateway]\nname = "bench"\nstate_dir = "state"\n[web]\nhost = "127.0.0.1"\nport = {PEER}\n'
                f'[[adapters]]\nname = "source"\ntype = "mqtt"\nhost = "127.0.0.1"\nport = {SOURCE}\n'
                f'[[adapters.routes]]\ntopic = "sensors/{{device}}"\nqos = {sc.qos}\ndecode = "json"\nprofile = "climate"\n'
                '[profiles.climate.metrics.temperature]\ntype = "float"\nunit = "°C"\nmin = -60\nmax = 100\n'
                '[profiles.climate.metrics.humidity]\ntype = "float"\nunit = "%"\nmin = 0\nmax = 100\n'
            )
        return [Path(PYTHON).with_name("gatewayd"), "--config", f"{home}/gateway.toml"]

    def drain(self, sc):
        return [
            "--mode",
            "sio",
            "--ns",
            "/telemetry",
            "--event",
            '0["join",{"device":"dev%d"}]',
            "127.0.0.1",
            PEER,
            "/socket.io/?EIO=4&transport=websocket",
        ]


@peer
class Naive(Peer):
    name = "naive"

    def command(self, sc):
        return [PYTHON, "-W", "ignore", f"{HERE}/peers/naive.py", PEER, SOURCE, sc.qos]


@peer
class MosquittoWs(Peer):
    """Browsers speak MQTT over WebSocket to the broker, which is the peer."""

    name = "mosquitto-ws"
    warmup = 0.2

    def brokers(self, sc):
        return {}

    def command(self, sc):
        return mosquitto_conf(
            f"{WORK}/run/ws.conf", f"listener {SOURCE} 127.0.0.1", f"listener {PEER} 127.0.0.1", "protocol websockets"
        )

    def ready(self, sc):
        return upgrades(PEER, "/mqtt", "Sec-WebSocket-Protocol: mqtt\r\n")

    def drain(self, sc):
        return ["--mode", "mqttws", "--event", "sensors/dev%d", "127.0.0.1", PEER, "/mqtt"]
