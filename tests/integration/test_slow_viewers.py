"""A browser behind a slow line, beside others that are none: what each sees of 1000 readings a second."""

import os
import random
import threading
import time

import orjson
import paho.mqtt.client as paho
import pytest

from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.paced_viewer import PacedViewer
from tests.support.ports import LOOPBACK, wait_until
from tests.support.viewers import Viewer

RATE = 1000
SPIKE = 1000.0
SLOW_LINE = 8_000
"""Bytes a second: 64 kbit/s."""
LONG = bool(os.environ.get("CHAOS_LONG"))
SECONDS = 600.0 if LONG else 30.0
SETTLED_S = 6.0
MOST_AGE_S = 2.0
"""Of the newest value, also while it is not known yet that the line is slow."""
LATITUDE_S = 2.0
"""For a machine that does other things, too."""
FILLS_CACHES = 200_000 if LONG else 60_000
"""Readings, after which what the journal keeps in memory grows no more for so long."""


class Flood:
    """Publishes ``rate`` readings a second to one device, one in ``RATE`` of them a spike; a context manager."""

    def __init__(self, port, device, rate=RATE):
        self._rate = rate
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.connect(LOOPBACK, port)
        self._topic = f"sensors/{device}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self):
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self):
        begin, number, chance = time.monotonic(), 0, random.Random(1)
        while not self._stop.wait(0.005):
            due = int((time.monotonic() - begin) * self._rate)
            while number < due:
                number += 1
                value = SPIKE + number if number % RATE == RATE // 2 else chance.uniform(-1.0, 1.0)
                self._client.publish(self._topic, orjson.dumps({"value": value, "ts": time.time()}))


@pytest.fixture
def running(tmp_path):
    with Mosquitto(tmp_path / "broker") as broker, Daemon(tmp_path, mqtt(broker.port, qos=0)) as daemon:
        daemon.wait_up("broker")
        yield broker, daemon


def ages(viewer, since):
    """Return how old the viewer's newest value was right before each newer one came, after ``since``."""
    found, newest = [], None
    for at, _, _, what in viewer.received():
        if isinstance(what, list):
            if newest is not None and at >= since:
                found.append(at - newest)
            newest = what[-1]["ts"]
    return sorted(found)


def accounted(viewer):
    """Return the readings that a viewer was sent; every seq came once, as a reading or in a gap."""
    position, shown = None, []
    for _, first, last, what in viewer.received():
        assert position is None or first == position + 1
        if isinstance(what, list):
            assert [reading["seq"] for reading in what] == list(range(first, last + 1))
            shown += what
        position = last
    return shown


def peaks(daemon, first, last):
    return {
        r["seq"]
        for r in daemon.readings("kitchen", after=first - 1)
        if r["values"]["value"] >= SPIKE and r["seq"] <= last
    }


def test_a_browser_behind_64_kbit_s_keeps_a_view_that_is_fresh_and_disturbs_nobody(running):
    broker, daemon = running
    with Flood(broker.port, "hall", rate=5 * RATE):
        wait_until(lambda: daemon.ledger()["stored"] > FILLS_CACHES, "the journal has its memory", timeout_s=120.0)
    with (
        Viewer(daemon.url) as good,
        Flood(broker.port, "kitchen"),
        PacedViewer(daemon.port, "kitchen", rate=0) as stalled,
        PacedViewer(daemon.port, "kitchen", rate=SLOW_LINE) as slow,
    ):
        good.wait_for("connect")
        good.ask("join", {"device": "kitchen", "backlog": 0})
        began = time.time()
        wait_until(lambda: time.time() > began + SETTLED_S, "it is known to be slow", timeout_s=60.0)
        memory = daemon.memory_bytes()
        wait_until(lambda: time.time() > began + SECONDS, "it was slow for long", timeout_s=SECONDS + 60.0)
        grown = daemon.memory_bytes() - memory
        assert not slow.ended
        found = ages(slow, began + SETTLED_S)
        tenths = [round(found[len(found) * n // 10], 2) for n in range(10)]
        print(f"age of the newest value: {tenths}, {found[-1]:.2f} s; at first {ages(slow, 0.0)[-1]:.2f} s")
        print(f"memory grew by {grown / 2**20:.1f} MiB")
        assert ages(slow, 0.0)[-1] < MOST_AGE_S + LATITUDE_S
        assert len(found) > SECONDS - SETTLED_S
        assert found[len(found) // 2] < MOST_AGE_S
        assert found[-1] < MOST_AGE_S + LATITUDE_S
        assert grown < 4 * 2**20, f"memory grew by {grown / 2**20:.1f} MiB"

        slow.rate = None
        wait_until(lambda: live_for(slow) > 2 * RATE, "it is live again, without gaps", timeout_s=30.0)
        shown = accounted(slow)
        came = {reading["seq"] for reading in shown}
        first = next(reading["seq"] for reading in shown if reading["ts"] > began + SETTLED_S)
        assert peaks(daemon, first, shown[-1]["seq"]) <= came
        assert any(what == "slow" for _, _, _, what in slow.received())

        newest = daemon.get("/api/v1/devices/kitchen")["last"]["seq"]
        seqs = good.wait_seq("kitchen", newest, timeout_s=60.0)
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
        stalled.rate = None
        wait_until(lambda: stalled.ended, "who took nothing for so long was dropped", timeout_s=30.0)


def live_for(viewer):
    """Return how many readings came since the last gap."""
    count = 0
    for _, first, last, what in reversed(viewer.received()):
        if not isinstance(what, list):
            break
        count += last - first + 1
    return count


def test_a_browser_that_is_slow_behind_a_large_buffer_stays_connected(running):
    """Its system takes at once what it looks at much later: only its own answers tell."""
    broker, daemon = running
    with (
        Flood(broker.port, "kitchen"),
        PacedViewer(daemon.port, "kitchen", rate=SLOW_LINE, receive_buffer=None) as slow,
    ):
        wait_until(lambda: slow.ended or is_fresh(slow), "it sees what is new", timeout_s=60.0)
        assert not slow.ended
        accounted(slow)
        assert ages(slow, 0.0)[-1] < MOST_AGE_S + LATITUDE_S


def is_fresh(viewer):
    events = viewer.received()
    shown = [what for _, _, _, what in events if isinstance(what, list)]
    return any(what == "slow" for _, _, _, what in events) and time.time() - shown[-1][-1]["ts"] < 1.0


def test_a_hundred_browsers_that_take_nothing_cost_next_to_nothing(running):
    broker, daemon = running
    with Flood(broker.port, "kitchen"):
        stalled = [PacedViewer(daemon.port, "kitchen", rate=0) for _ in range(100)]
        before = daemon.ledger()["stored"]
        wait_until(lambda: daemon.ledger()["stored"] > before + 2 * RATE, "all have left the room", timeout_s=30.0)
        memory, before = daemon.memory_bytes(), daemon.ledger()["stored"]
        wait_until(lambda: daemon.ledger()["stored"] > before + 5 * RATE, "much went by", timeout_s=60.0)
        grown = daemon.memory_bytes() - memory
        for viewer in stalled:
            viewer.close()
    assert grown < 8 * 2**20, f"memory grew by {grown / 2**20:.1f} MiB"
