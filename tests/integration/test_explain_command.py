"""What ``gatewayctl explain`` foretells is what the real daemon then does, word for word."""

import json
import re
from collections import Counter

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.ptys import VirtualPort

MESSAGES = [
    ("sensors/{n}", b'{"ts": 1767225600250, "temperature": 215, "open": true}'),
    ("sensors/{n}", b'[{"ts": 1, "temperature": 1}, {"ts": 2, "temperature": 2}]'),
    ("plain/{n}/temperature", b"215"),
    ("plain/{n}/door", b"open"),
    ("other/{n}", b'{"temperature": 215}'),
    ("sensors/{n}/more", b'{"temperature": 215}'),
    ("sensors/{n}", b'{"temperature": "21,4"}'),
    ("sensors/{n}", b'{"temperature": 2000}'),
    ("sensors/{n}", b'{"temperature": 1, "serial": 5, "open": 3}'),
    ("sensors/{n}", b'{"temperature": 1, "temperature": 2}'),
    ("sensors/{n}", b'{"temperature": 1, "ts": "yesterday"}'),
    ("sensors/{n}", b'[{"temperature": 1}, {"temperature": 2000}]'),
    ("sensors/{n}", b'{"temperature": NaN}'),
    ("sensors/{n}", b'{"temperature": 1, "note": "%s"}' % (b"x" * 300)),
    ("sensors/{n}", b'{"humidity": 5}'),
    ("sensors/{n}", b"{}"),
    ("sensors/{n}", b""),
    ("sensors/{n}", b"\xff\xfe\x00"),
    ("sensors/{n}", b'{"temperature": 1, "a\\nb": {"c": 1}, "a\\nb.c": 2}'),
    ("sensors/ {n}", b'{"temperature": 1}'),
    ("plain/{n}/temperature", b"1e400"),
    ("plain/{n}/", b"1"),
]
"""Each with a source of its own, as the log has one refusal a source and second; ``{n}`` keeps their devices apart."""
LINES = [b"215,on", b"215", b"9" * 100, b"2000,on"]

PROFILE = """
[profiles.climate.metrics]
temperature = { required = true, scale = 0.1, min = -40, max = 85 }
serial = { type = "str" }
open = { type = "bool" }
[profiles.plain.metrics]
temperature = { scale = 0.1, min = -40, max = 85 }
"""
BROKER = """
[[adapters]]
name = "{name}"
type = "mqtt"
host = "127.0.0.1"
port = {port}
[[adapters.routes]]
topic = "{name}/sensors/{{device}}"
profile = "climate"
[[adapters.routes]]
topic = "{name}/plain/{{device}}/{{metric}}"
decode = "value"
profile = "plain"
[[adapters.routes]]
topic = "{name}/other/#"
device = "other-{name}"
"""
SERIAL = """
[[adapters]]
name = "bench"
type = "serial"
url = "{url}"
max_line = "64B"
decode = "csv"
columns = ["temperature", "state"]
device = "dev"
profile = "climate"
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with VirtualPort(tmp_path_factory.mktemp("port") / "port") as plugged:
        yield plugged


def foretold(daemon, *question):
    """Return what explain says of the one message in question, and whether by its exit code it would be stored."""
    result = CliRunner().invoke(cli, ["--config", str(daemon.config), "explain", "--json", *question])
    [source] = json.loads(result.stdout)["sources"]
    [message] = source["messages"]
    assert (result.exit_code == 0) == (message["outcome"] == "stored")
    return message


def ended(daemon):
    """Return how many messages came to which end."""
    return Counter({name: daemon.ledger()[name] for name in ("stored", "rejected", "ignored")})


def check_refused(daemon, name, message):
    """Check that the daemon logs the reason that was foretold, and none where none was."""
    told = [message["reason"]] if message["outcome"] == "rejected" else []
    said = re.compile(rf"source {name}: message rejected: (.*)")
    wait_until(lambda: said.findall(daemon.log) == told, f"the log has {told} of {name}")


def check_stored(daemon, message):
    """Check that what was foretold is what is kept; only the time of arrival can't be foretold."""
    told = [each["reading"] for each in message["stored"]]
    kept = daemon.readings(message["stored"][0]["device"]) if told else []
    assert [each["values"] for each in kept] == [each["values"] for each in told]
    if all(reading["source_time"] for reading in message["readings"]):
        assert [each["ts"] for each in kept] == [each["ts"] for each in told]


def test_mqtt(tmp_path, broker):
    sources = {
        f"s{number}": (topic.format(n=f"s{number}"), payload) for number, (topic, payload) in enumerate(MESSAGES)
    }
    tables = "".join(BROKER.format(name=name, port=broker.port) for name in sources)
    with Daemon(tmp_path, tables + PROFILE) as daemon:
        daemon.wait_up(*sources)
        told = {
            name: foretold(daemon, "--adapter", name, "--topic", f"{name}/{topic}", "--payload-hex", payload.hex())
            for name, (topic, payload) in sources.items()
        }
        outcomes = Counter(message["outcome"] for message in told.values())
        broker.publish_all([(f"{name}/{topic}", payload) for name, (topic, payload) in sources.items()])
        wait_until(lambda: ended(daemon).total() == len(sources) - 1, "they ended")
        outcomes["ignored"] -= 1  # what no route wants the broker doesn't even send
        assert ended(daemon) == outcomes
        for name, message in told.items():
            check_refused(daemon, name, message)
            check_stored(daemon, message)


@pytest.mark.parametrize("line", LINES)
def test_a_serial_port(tmp_path, port, line):
    with Daemon(tmp_path, SERIAL.format(url=port.link) + PROFILE) as daemon:
        daemon.wait_up("bench")
        message = foretold(daemon, "--adapter", "bench", "--payload", line.decode())
        port.write(line + b"\n")
        wait_until(lambda: daemon.ledger()[message["outcome"]] == 1, "it ended as was foretold")
        check_refused(daemon, "bench", message)
        check_stored(daemon, message)
