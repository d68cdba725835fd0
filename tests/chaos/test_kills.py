"""The daemon is killed over and over while everything around it fails too; at the end nothing is missing or twofold."""

import base64
import random
import time
from collections import Counter

import pytest

from tests.chaos.books import Auditor
from tests.chaos.faithful import IMPATIENT, Faithful
from tests.chaos.mortal import Mortal
from tests.chaos.publisher import Publisher
from tests.chaos.sensor import COLUMNS, CountingSensor, check_digits
from tests.support.daemon import mqtt, serial
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.proxy import Proxy

RATE = 400
DEVICES = ("attic", "cellar", "garden", "kitchen")
SENSOR = "bench-sensor"
MALFORMED = 0.02


class Sensors:
    """What is published: numbered readings, and malformed payloads among them that have a number too."""

    def __init__(self, chance: random.Random) -> None:
        self.malformed: dict[int, bytes] = {}
        self._chance = chance

    def message(self, number: int) -> tuple[str, bytes]:
        topic = f"sensors/{self._chance.choice(DEVICES)}"
        if self._chance.random() >= MALFORMED:
            return topic, b'{"n": %d, "text": "%s"}' % (number, b"x" * self._chance.randrange(200))
        wrong = [
            b'{"n": %d',
            b'{"n": %d, "a": NaN}',
            b"n is %d",
            b'{"n": %d, "a": 1e400}',
            b'["%d"]',
            b'{"n": "\xff%d"}',
        ]
        self.malformed[number] = self._chance.choice(wrong) % number
        return topic, self.malformed[number]


class World:
    """The daemon and all that it depends on, and the ways in which that fails."""

    def __init__(self, daemon: Mortal, broker: Mosquitto, proxy: Proxy, chance: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self._daemon, self._broker, self._proxy, self._chance = daemon, broker, proxy, chance

    def live_and_die(self) -> None:
        """Let the daemon live for a moment, of which it is ready for some or none, and end it."""
        self._daemon.launch()
        if self._chance.random() < 0.75:
            self._daemon.wait_ready()
        self._fail_around()
        time.sleep(self._chance.uniform(0.0, 1.0))
        self._proxy.resume()
        self._proxy.listen()
        if self._chance.random() < 0.1 and self._ready():
            self.counts["stopped"] += 1
            assert self._daemon.stop() == 0
        else:
            self.counts["killed"] += 1
            self._daemon.kill()

    def _ready(self) -> bool:
        """Tell whether it would end in order: before it is ready, a signal may end it at once."""
        self._daemon.wait_ready()
        return True

    def _fail_around(self) -> None:
        ways = {
            self._cut_in_mid_packet: 4,
            self._proxy.stall: 2,
            self._proxy.refuse: 2,
            self._broker.restart: 1,
            _nothing: 2,
        }
        (way,) = self._chance.choices(list(ways), list(ways.values()))
        self.counts[way.__name__.strip("_")] += 1
        way()

    def _cut_in_mid_packet(self) -> None:
        self._proxy.cut_after(self._chance.randrange(1, 30_000))


def _nothing() -> None:
    """Let all be well around it."""


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def proxy(broker):
    with Proxy(broker.port) as running:
        yield running


def stored_numbers(daemon):
    return [reading["values"]["n"] for device in DEVICES for reading in daemon.readings(device)]


def test_nothing_is_lost_or_twofold_over_kills_and_failures(tmp_path, broker, proxy, chance, long):
    kills = 300 if long else 50
    sensors = Sensors(random.Random(chance.random()))
    link = tmp_path / "port"
    daemon = Mortal(tmp_path, mqtt(proxy.port) + serial(link, columns=COLUMNS))
    world = World(daemon, broker, proxy, chance)
    with (
        CountingSensor(link, random.Random(chance.random()), unplugging=0.01) as sensor,
        Faithful(daemon.url, *DEVICES, SENSOR, options=IMPATIENT) as viewer,
        Faithful(daemon.url, DEVICES[0]) as patient,
        Auditor(daemon.url) as auditor,
        daemon,
    ):
        daemon.wait_up("broker", "bench")  # so that the broker has a session to keep messages in
        daemon.kill()
        with Publisher(broker.port, RATE, sensors.message) as publisher:
            while world.counts["killed"] < kills:
                world.live_and_die()
            daemon.start()
        promised = publisher.acknowledged - set(sensors.malformed)
        wait_until(lambda: promised <= set(stored_numbers(daemon)), "all that was promised", timeout_s=60.0)
        wait_until(lambda: daemon.ledger()["in_flight"] == 0, "nothing is on its way")
        sensor.stop()
        print(
            dict(world.counts), f"published {publisher.sent}, acknowledged {len(publisher.acknowledged)},"
            f" malformed {len(sensors.malformed)}, publisher connected {publisher.connections} times,"
            f" viewers {viewer.connections} and {patient.connections}, cuts {proxy.cuts}, replugged {sensor.replugged},"
            f" ledger seen {auditor.looks} times, {daemon.ledger()}"
        )  # fmt: skip
        check_each_once(daemon, publisher, sensors)
        check_rejects(daemon, publisher, sensors)
        check_ledger(daemon)
        check_lines(daemon, sensor)
        check_viewers(daemon, viewer, *DEVICES, SENSOR)
        check_viewers(daemon, patient, DEVICES[0])
        assert "Traceback" not in daemon.log


def check_each_once(daemon, publisher, sensors):
    numbers = Counter(stored_numbers(daemon))
    assert [number for number, times in numbers.items() if times > 1] == []
    assert set(numbers) <= set(range(1, publisher.sent + 1)) - set(sensors.malformed)
    assert publisher.acknowledged - set(sensors.malformed) <= set(numbers)


def check_rejects(daemon, publisher, sensors):
    """What is malformed is kept as that, once: of as many as the API lists, and half of these are the newest."""
    numbers = {payload: number for number, payload in sensors.malformed.items()}
    listed = [each for each in daemon.get("/api/v1/rejects?limit=1000")["rejects"] if each["source"] == "broker"]
    kept = {numbers[base64.b64decode(each["payload_base64"])] for each in listed}
    assert len(kept) == len(listed)
    assert {each["count"] for each in listed} == {1}
    promised = sorted(publisher.acknowledged & set(sensors.malformed))
    assert set(promised if len(listed) < 900 else promised[-450:]) <= kept


def check_ledger(daemon):
    """A kill may forget the last second's counts, but invents none; and nothing else forgets any."""
    sources = {source["name"]: source["ledger"] for source in daemon.get("/api/v1/status")["sources"]}
    assert 0 < sources["broker"]["stored"] <= len(stored_numbers(daemon))
    assert sources["broker"]["rejected"] > 0
    before = sources["broker"]
    assert daemon.stop() == 0
    daemon.start()
    daemon.wait_up("broker", "bench")
    assert {each["name"]: each["ledger"] for each in daemon.get("/api/v1/status")["sources"]}["broker"] == before


def check_lines(daemon, sensor):
    """What the port was read as is what was written, in order: never half a line, never one twice."""
    values = [reading["values"] for reading in daemon.readings(SENSOR)]
    assert [each for each in values if each["check"] != check_digits(each["n"])] == []
    numbers = [each["n"] for each in values]
    assert numbers == sorted(set(numbers))
    assert numbers
    assert numbers[-1] <= sensor.written


def check_viewers(daemon, viewer, *devices):
    """All that was ever seen is what is stored under that number, and a viewer saw all."""
    for device in devices:
        stored = {reading["seq"]: reading for reading in daemon.readings(device)}
        newest = max(stored)
        assert set(stored) == set(range(1, newest + 1))
        wait_until(lambda: viewer.newest(device) == newest, f"{device} was seen up to {newest}", timeout_s=20.0)  # noqa: B023
        assert viewer.check_unbroken(device) == newest
        assert [seen for seen in viewer.readings(device) if seen["seq"] is None] == []
        assert [seen for seen in viewer.readings(device) if seen != stored[seen["seq"]]] == []
    assert viewer.gaps() == []
