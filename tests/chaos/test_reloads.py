"""The configuration is changed over and over, rightly and wrongly, under load: what isn't changed doesn't notice."""

import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.books import Auditor
from tests.chaos.faithful import Faithful
from tests.chaos.publisher import Publisher
from tests.chaos.sensor import COLUMNS, CountingSensor, check_digits
from tests.support.daemon import Daemon, mqtt, serial
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

RATE = 400
STEADY, MOVING, SENSOR = "kitchen", "attic", "bench-sensor"


class Author:
    """Writes one configuration after the other; a source, a line and a viewer's device are the same in all."""

    def __init__(self, daemon: Daemon, port: int, link: Path, chance: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.name = "test"
        self._daemon, self._port, self._chance = daemon, port, chance
        self._steady = mqtt(port, name="steady", topic="steady/{device}") + serial(link, columns=COLUMNS)
        self._keepalive, self._most, self._extra = 30, 10**9, list[str]()

    @property
    def sources(self) -> list[str]:
        """Which there are after the last change."""
        return ["steady", "bench", "moving", *self._extra]

    @property
    def tables(self) -> str:
        """What is right to write now."""
        moving = mqtt(self._port, name="moving", topic="moving/{device}", more=f'keepalive = "{self._keepalive}s"')
        extra = "".join(mqtt(self._port, name=name, topic=f"{name}/{{device}}") for name in self._extra)
        profile = f'profile = "counted"\n[profiles.counted.metrics.n]\ntype = "int"\nmax = {self._most}\n'
        return self._steady + extra + moving + profile

    def change(self) -> str:
        """Change something; return what, or ``""`` where the file can't be used then."""
        if self._chance.random() < 0.4:
            self._write_wrongly()
            self.counts["wrong"] += 1
            return ""
        ways = (self._connect_anew, self._judge_anew, self._come_and_go, self._rename, _nothing)
        way: Callable[[], object] = self._chance.choice(ways)
        way()
        self.counts[way.__name__.strip("_")] += 1
        self._daemon.configure(self.tables, name=self.name)
        return way.__name__

    def mend(self) -> None:
        """Write what is right again, after something wrong."""
        (self._daemon.config.parent / "conf.d" / "wrong.toml").unlink(missing_ok=True)
        self._daemon.configure(self.tables, name=self.name)

    def _connect_anew(self) -> None:
        self._keepalive = 30 + (self._keepalive + 1) % 30

    def _judge_anew(self) -> None:
        self._most += 1

    def _come_and_go(self) -> None:
        if self._extra and self._chance.random() < 0.6:
            self._extra.remove(self._chance.choice(self._extra))
        else:
            free = [name for name in ("one", "two", "three") if name not in self._extra]
            self._extra += free[:1]

    def _rename(self) -> None:
        self.name = f"test {self._chance.randrange(1000)}"

    def _write_wrongly(self) -> None:
        wrong = self._chance.choice(
            [
                "qso = 1\n",
                "x",
                'unit = "${NOBODY_SET_THIS}"\n',
                "min = 99999999999\n",
                self._steady,
                "[web]\n",
                "conf.d",
            ]
        )
        if wrong == "conf.d":
            folder = self._daemon.config.parent / "conf.d"
            folder.mkdir(exist_ok=True)
            (folder / "wrong.toml").write_text('[[adapters]]\nname = "moving"\ntype = "simulator"\n')
        else:
            self._daemon.configure(self.tables + wrong, name="wrong")


def _nothing() -> None:
    """Write the same again."""


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def message(number: int) -> tuple[str, bytes]:
    return (f"steady/{STEADY}" if number % 2 else f"moving/{MOVING}"), b'{"n": %d}' % number


def connections(broker, name):
    return len(re.findall(rf"New client connected from \S+ as \S+-{name}-", broker.log))


def reload(daemon, author, chance):
    """Change something, let it be read, and check what comes of it."""
    rightly = author.change()
    if chance.random() < 0.3:
        daemon.process.send_signal(signal.SIGHUP)  # one that nobody waits for
    answer = daemon.reload()
    assert bool(answer["problems"]) == (not rightly), answer
    assert rightly or answer["sources"] == answer["settings"] == []
    assert answer["complete"] == bool(rightly), answer
    if not rightly:
        author.mend()
    status = daemon.get("/api/v1/status")
    assert [source["name"] for source in status["sources"]] == [*author.sources[:2], *author.sources[3:], "moving"]
    assert status["gateway"]["name"] == author.name
    assert any("can't be used" in problem for problem in status["problems"]) == (not rightly)


def test_what_is_not_changed_loses_nothing_and_stays_connected(tmp_path, broker, chance, long):
    link = tmp_path / "port"
    daemon = Daemon(tmp_path / "gateway", "")
    author = Author(daemon, broker.port, link, random.Random(chance.random()))
    author.mend()
    with (
        CountingSensor(link, random.Random(chance.random())) as sensor,
        daemon,
        Faithful(daemon.url, STEADY, MOVING, SENSOR) as viewer,
        Auditor(daemon.url) as auditor,
    ):
        daemon.wait_up("steady", "bench", "moving")
        first = sensor.written
        with Publisher(broker.port, RATE, message) as publisher:
            for _ in range(200 if long else 30):
                reload(daemon, author, chance)
                time.sleep(chance.uniform(0.0, 0.3))
        sensor.stop()
        assert publisher.acknowledged
        wait_until(lambda: publisher.acknowledged <= set(numbers(daemon)), "all that was promised", timeout_s=30.0)
        wait_until(lambda: daemon.ledger()["in_flight"] == 0, "nothing is on its way")
        print(
            dict(author.counts), f"published {publisher.sent}, lines {sensor.written}, connected: steady"
            f" {connections(broker, 'steady')}, moving {connections(broker, 'moving')}, viewer {viewer.connections},"
            f" ledger seen {auditor.looks} times, {daemon.ledger()}"
        )  # fmt: skip
        assert sorted(numbers(daemon)) == list(range(1, publisher.sent + 1)), "each is there, once"
        lines = [reading["values"] for reading in daemon.readings(SENSOR)]
        assert [each for each in lines if each["check"] != check_digits(each["n"])] == []
        assert set(range(first + 1, sensor.written + 1)) <= {each["n"] for each in lines}
        assert connections(broker, "steady") == 1
        assert connections(broker, "moving") == 1 + author.counts["connect_anew"]
        assert (viewer.connections, viewer.gaps()) == (1, [])
        for device in (STEADY, MOVING, SENSOR):
            newest = daemon.get(f"/api/v1/devices/{device}")["last"]["seq"]
            wait_until(lambda: viewer.newest(device) == newest, f"{device} was seen", timeout_s=20.0)  # noqa: B023
            viewer.check_unbroken(device)
        assert "Traceback" not in daemon.log


def numbers(daemon):
    return [reading["values"]["n"] for device in (STEADY, MOVING) for reading in daemon.readings(device)]
