"""A thousand messages a second while clients join and leave: everything arrives, nothing leaks, memory stays flat."""

import random
import statistics
import threading
import time
from pathlib import Path

import pytest

from tests.chaos.books import Auditor
from tests.chaos.faithful import Faithful
from tests.chaos.mortal import Mortal
from tests.chaos.publisher import Publisher
from tests.support.daemon import mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.viewers import Viewer

RATE = 1000
DEVICES = [f"device-{number:02}" for number in range(50)]
WARM_UP_S = 45.0
"""Until buffers of fixed size are full: the memory of deliveries and lags, SQLite's caches, a log to be packed."""


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


class Visitor(Viewer):
    """A client that may be ended in the middle of a word."""

    def vanish(self) -> None:
        """End at once, without a good-bye."""
        self._process.kill()


class Soak:
    """What was seen of the daemon, second by second.

    The load is the same all the time: nobody asks for a backlog that is still growing in the minutes that
    are compared, as a viewer that gets more takes more memory while it does.
    """

    def __init__(self, daemon: Mortal) -> None:
        self.memory: list[int] = []
        self.visits = 0
        self._daemon = daemon
        self._stop = threading.Event()

    def watch(self, seconds: float) -> None:
        """Note the daemon's memory once a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.memory.append(self._daemon.memory_bytes())
            time.sleep(1.0)

    def come_and_go(self, chance: random.Random) -> None:
        """Let one client after the other join some devices, see a bit, and leave in one way or the other."""
        while not self._stop.is_set():
            with Visitor(self._daemon.url) as viewer:
                viewer.wait_for("connect")
                devices = chance.sample(DEVICES, k=chance.randrange(1, 10))
                for device in devices:
                    viewer.send("join", {"device": device, "backlog": chance.choice([1, 100, 1000])})
                viewer.wait_for("readings")
                self._stop.wait(chance.uniform(0.0, 3.0))
                if chance.random() < 0.5:
                    viewer.vanish()
            self.visits += 1

    def stop(self) -> None:
        """Let no more clients come."""
        self._stop.set()


def descriptors(daemon):
    return len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))


def most_descriptors(daemon):
    """Return how many it has at most within some seconds: whoever reads status has one for a moment."""
    samples = []
    for _ in range(30):
        samples.append(descriptors(daemon))
        time.sleep(0.1)
    return max(samples)


def mean_mib(samples):
    return statistics.fmean(samples) / 2**20


def test_memory_and_descriptors_stay_flat(tmp_path, broker, chance, long):
    """In the long form, ten minutes: the last minute's memory is within 5 % of the third's.

    In the short form, 80 s: the last ten seconds' is within 5 % of that in the ten seconds after the
    warm-up. That catches a leak of some 10 kB a second and nothing finer.
    """
    seconds, slot_s = (600, 60) if long else (80, 10)
    with Mortal(tmp_path, mqtt(broker.port)) as daemon, Auditor(daemon.url) as auditor:
        daemon.wait_up("broker")
        wait_until(lambda: daemon.get("/api/v1/status")["clients"] == 0, "nobody is there")
        soak = Soak(daemon)
        clients = [
            threading.Thread(target=soak.come_and_go, args=[random.Random(chance.random())], daemon=True)
            for _ in range(2)
        ]
        message = '{"temperature": %d, "humidity": 48.5, "open": false}'
        publisher = Publisher(
            broker.port, RATE, lambda n: (f"sensors/{DEVICES[n % len(DEVICES)]}", (message % n).encode())
        )
        with publisher, Faithful(daemon.url, DEVICES[0]) as stays:
            wait_until(lambda: len(daemon.get("/api/v1/devices")["devices"]) == len(DEVICES), "all devices are heard")
            wait_until(lambda: stays.newest(DEVICES[0]) > 0, "the one that stays is there")
            before = most_descriptors(daemon)
            for client in clients:
                client.start()
            soak.watch(WARM_UP_S if not long else 2 * slot_s)
            soak.watch(seconds - len(soak.memory))
            soak.stop()
            for client in clients:
                client.join(30.0)
            wait_until(lambda: daemon.get("/api/v1/status")["clients"] == 1, "the clients are gone", timeout_s=40.0)
            wait_until(lambda: descriptors(daemon) <= before, "no descriptor is left of them", timeout_s=40.0)
            publisher.stop()
            wait_until(lambda: daemon.ledger()["stored"] >= len(publisher.acknowledged), "all is stored")
            wait_until(lambda: stays.newest(DEVICES[0]) == publisher.sent // len(DEVICES), "all is seen")
        start = 2 * slot_s if long else int(WARM_UP_S)
        early, late = mean_mib(soak.memory[start : start + slot_s]), mean_mib(soak.memory[-slot_s:])
        print(
            f"{publisher.sent} messages, {soak.visits} visits, ledger seen {auditor.looks} times,"
            f" memory {early:.1f} MiB, in the end {late:.1f} MiB, {before} descriptors"
        )
        assert daemon.ledger()["stored"] == publisher.sent == len(publisher.acknowledged)
        assert stays.check_unbroken(DEVICES[0]) == publisher.sent // len(DEVICES)
        assert stays.connections == 1
        assert soak.visits > 0
        assert late < 1.05 * early
        assert "Traceback" not in daemon.log
