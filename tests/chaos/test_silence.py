"""A source is open and dead: it recovers or is reported within twice its stall time, and no other loses anything."""

import random
import re
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.mortal import Mortal
from tests.chaos.publisher import Publisher
from tests.chaos.sensor import COLUMNS, CountingSensor
from tests.support.daemon import mqtt, serial
from tests.support.fake_broker import FakeBroker
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.proxy import Proxy
from tests.support.ptys import VirtualPort

STALL_S = 5.0
STALL = f'stall_after = "{STALL_S:g}s"'
RATE = 50


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def source(daemon, name):
    return next(each for each in daemon.get("/api/v1/status")["sources"] if each["name"] == name)


def numbers(daemon, device):
    return [reading["values"]["n"] for reading in daemon.readings(device)]


def wait_reported(daemon, name, *states):
    """Wait, at most twice the stall time, until status says what is wrong with a source; return why."""
    wait_until(lambda: source(daemon, name)["state"] in states, f"{name} is {states}", timeout_s=2 * STALL_S)
    found = source(daemon, name)
    assert found["reason"]
    assert any(f"source {name} is {found['state']}" in problem for problem in daemon.get("/api/v1/status")["problems"])
    return found["reason"]


@contextmanager
def undisturbed(tmp_path, broker, tables):
    """A daemon with ``tables``, and two good sources beside, of which all must be stored in the end."""
    link = tmp_path / "good-port"
    good = mqtt(broker.port, name="good", topic="good/{device}") + serial(link, name="good-port", columns=COLUMNS)
    with CountingSensor(link, random.Random(0)) as sensor, Mortal(tmp_path, tables + good) as daemon:
        daemon.wait_up("good", "good-port")
        pid, written = daemon.process.pid, sensor.written
        with Publisher(broker.port, RATE, lambda number: ("good/kitchen", b'{"n": %d}' % number)) as publisher:
            yield daemon
            assert {source(daemon, name)["state"] for name in ("good", "good-port")} == {"up"}
        sensor.stop()
        wait_until(lambda: numbers(daemon, "bench-sensor")[-1] == sensor.written, "the last line")
        lines = numbers(daemon, "bench-sensor")
        assert lines[0] <= written + 1
        assert lines == list(range(lines[0], sensor.written + 1))
        wait_until(lambda: len(numbers(daemon, "kitchen")) == publisher.sent, "all messages")
        assert numbers(daemon, "kitchen") == list(range(1, publisher.sent + 1))
        assert daemon.process.pid == pid
        assert set(re.findall(r"source (?:good|good-port) is (\w+)", daemon.log)) == {"up"}
        assert "Traceback" not in daemon.log


def dying(link, more=STALL):
    return serial(link, name="dying", columns='"n"').replace('"bench-sensor"', '"dying"') + more + "\n"


def test_a_port_that_stays_open_and_falls_silent_is_reported_and_comes_back(tmp_path, broker):
    with (
        VirtualPort(tmp_path / "port") as port,
        undisturbed(tmp_path, broker, dying(port.link)) as daemon,
    ):
        daemon.wait_up("dying")
        port.write(b"1\n")
        wait_until(lambda: source(daemon, "dying")["ledger"]["stored"] == 1, "it is heard")
        assert wait_reported(daemon, "dying", "stalled")
        time.sleep(STALL_S)  # it climbs its ladder meanwhile
        speak(daemon, port)
        wait_until(lambda: source(daemon, "dying")["state"] == "up", "it is said to be heard again")


def test_a_port_behind_whose_name_there_is_another_by_now_is_opened_anew(tmp_path, broker):
    """As with an adapter whose driver lost it without telling: the descriptor stays good, and dead."""
    name = tmp_path / "port"
    name.symlink_to("first")
    with (
        VirtualPort(tmp_path / "first") as first,
        VirtualPort(tmp_path / "second") as second,
        undisturbed(tmp_path, broker, dying(name)) as daemon,
    ):
        daemon.wait_up("dying")
        first.write(b"1\n")
        wait_until(lambda: source(daemon, "dying")["ledger"]["stored"] == 1, "it is heard")
        name.unlink()
        name.symlink_to("second")
        wait_until(lambda: is_read(second), "the new one is opened", timeout_s=2 * STALL_S)
        speak(daemon, second)
        assert source(daemon, "dying")["state"] == "up"


def speak(daemon, port):
    """Write 2, 3, 4, … until one is stored: to open a port throws away what was there. All from that one on must be."""
    said = 1

    def is_heard():
        nonlocal said
        said += 1
        port.write(b"%d\n" % said)
        return numbers(daemon, "dying")[-1] > 1

    wait_until(is_heard, "it is heard")
    wait_until(lambda: numbers(daemon, "dying")[-1] == said, "all that it says is stored")
    first, *heard = numbers(daemon, "dying")
    assert first == 1
    assert heard == list(range(heard[0], said + 1))


def is_read(port):
    """Tell whether somebody has the port open, by which of the kernel's open files is it."""
    terminal = port.link.resolve()
    return any(_target(file) == terminal for file in Path("/proc").glob("[0-9]*/fd/*"))


def _target(file):
    try:
        return file.readlink()
    except OSError:  # closed by now
        return None


def test_a_broker_that_accepts_and_says_nothing_is_reported(tmp_path, broker):
    with FakeBroker({}) as silent, undisturbed(tmp_path, broker, mqtt(silent.port, name="dead", more=STALL)) as daemon:
        assert wait_reported(daemon, "dead", "down", "stalled", "failed")


def test_a_broker_that_falls_silent_in_the_middle_is_reported_and_comes_back(tmp_path, broker):
    with (
        Mosquitto(tmp_path / "other") as other,
        undisturbed(tmp_path, broker, mqtt(other.port, name="dead", more=STALL)) as daemon,
    ):
        daemon.wait_up("dead")
        other.publish("sensors/attic", '{"n": 1}')
        wait_until(lambda: source(daemon, "dead")["ledger"]["stored"] == 1, "it is heard")
        other.pause()
        try:
            assert wait_reported(daemon, "dead", "stalled", "down")
        finally:
            other.resume()
        other.publish_all([("sensors/attic", b'{"n": %d}' % number) for number in range(2, 20)])
        wait_until(lambda: numbers(daemon, "attic") == list(range(1, 20)), "all is there", timeout_s=20.0)
        daemon.wait_up("dead")


def test_a_network_that_lets_nothing_through_any_more_is_got_around(tmp_path, broker):
    """The connection stands and is dead, as after a router forgot it; a new one would work."""
    with (
        Mosquitto(tmp_path / "other") as other,
        Proxy(other.port) as proxy,
        undisturbed(tmp_path, broker, mqtt(proxy.port, name="dead", more=STALL)) as daemon,
        Publisher(other.port, RATE, lambda number: ("sensors/attic", b'{"n": %d}' % number)) as publisher,
    ):
        wait_until(lambda: source(daemon, "dead")["ledger"]["stored"] > 20, "it is heard")
        stored = source(daemon, "dead")["ledger"]["stored"]
        proxy.stall()
        at = publisher.sent
        wait_until(
            lambda: source(daemon, "dead")["ledger"]["stored"] > stored + 3 * RATE and publisher.sent > at,
            "it is heard again over another connection",
            timeout_s=2 * STALL_S,
        )
        publisher.stop()
        wait_until(lambda: set(numbers(daemon, "attic")) >= publisher.acknowledged, "all is there")
        got = numbers(daemon, "attic")
        assert len(got) == len(set(got))


SECURITY = """{
"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": %s, "unsubscribe": true},
"clients": [], "groups": [{"groupname": "all", "roles": []}], "roles": [], "anonymousGroup": "all"
}"""


def _dynamic_security():
    found = sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    assert found, "Mosquitto's plugin for dynamic security is missing"
    return found[0]


def test_a_subscription_that_the_broker_refuses_is_reported_and_taken_up_when_granted(tmp_path, broker):
    rules = tmp_path / "rules.json"
    rules.write_text(SECURITY % "false")
    lines = [f"plugin {_dynamic_security()}", f"plugin_opt_config_file {rules}"]
    with (
        Mosquitto(tmp_path / "other", lines=lines) as other,
        undisturbed(tmp_path, broker, mqtt(other.port, name="refused", more=STALL)) as daemon,
    ):
        why = wait_reported(daemon, "refused", "down", "stalled", "failed")
        assert "sensors/+" in why
        assert "not authorized" in why
        other.stop()
        rules.write_text(SECURITY % "true")
        other.start()
        daemon.wait_up("refused")
        other.publish("sensors/attic", '{"n": 1}')
        wait_until(lambda: source(daemon, "refused")["ledger"]["stored"] == 1, "it is heard")


def test_messages_that_an_acl_withholds_in_silence_are_reported(tmp_path, broker):
    """Mosquitto's acl_file grants every subscription, and then delivers nothing: only the silence tells."""
    rules = tmp_path / "acl"
    rules.write_text("topic write sensors/#\n")
    with (
        Mosquitto(tmp_path / "other", lines=[f"acl_file {rules}"]) as other,
        undisturbed(tmp_path, broker, mqtt(other.port, name="refused", more=STALL)) as daemon,
    ):
        daemon.wait_up("refused")
        other.publish("sensors/attic", '{"n": 1}')
        assert wait_reported(daemon, "refused", "stalled")
