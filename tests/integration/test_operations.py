"""What machines look at: /metrics, /healthz and /readyz, of a gateway that is well and of one that isn't."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

PROMTOOL = shutil.which("promtool", path=f"{Path(sys.executable).parent}:/usr/bin:/usr/local/bin")
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
STUCK = """
import os, sys
import gateway.__main__
import gateway.status
from eventlet.patcher import original
from gateway.journal.store import Store

gateway.status._STUCK_S = 0.5
write, sleep, flag = Store.write, original("time").sleep, sys.argv.pop(1)

def write_late(self, entries):
    while os.path.exists(flag):
        sleep(0.02)
    return write(self, entries)

Store.write = write_late
gateway.__main__.main()
"""


def scrape(daemon, accept=""):
    request = urllib.request.Request(daemon.url + "/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10.0) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def samples(daemon):
    """Return all samples by name and labels, without the prefix."""
    families = parser.text_string_to_metric_families(scrape(daemon)[1])
    return {
        (sample.name.removeprefix("telemetry_gateway_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def ready(daemon):
    with closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10.0)) as connection:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, json.load(answer)


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def daemon(tmp_path, broker):
    with Daemon(tmp_path / "gateway", mqtt(broker.port) + mqtt(1, name="away")) as running:
        running.wait_up("broker")
        yield running


def test_metrics_say_what_became_of_messages(daemon, broker):
    good, bad = ("sensors/kitchen", b'[{"n": 1}, {"n": 2}]'), ("sensors/kitchen", b"{")
    broker.publish_all([good] * 20 + [bad] * 3)
    wait_until(lambda: samples(daemon)[("messages_received_total", "broker")] == 23, "all are in")
    wait_until(lambda: samples(daemon)[("messages_in_flight", "broker")] == 0, "all are through")
    found = samples(daemon)
    assert found["messages_total", "stored", "broker"] == 20
    assert found["messages_total", "rejected", "broker"] == 3
    assert found["readings_total", "broker"] == 40
    assert found["readings_total", "away"] == 0
    assert found["source_state", "broker", "up"] == found["source_state", "away", "down"] == 1
    assert found["source_state", "broker", "down"] == found["source_state", "away", "up"] == 0
    assert (found["devices", "online"], found["devices", "offline"]) == (1, 0)
    assert found["emission_seconds_bucket", "+Inf"] == found["emission_seconds_count",] == 40
    assert 1 <= found["commit_seconds_count",] <= 20
    assert found["ready",] == 1
    assert found["problems",] == 1  # the source that is away


def test_counters_begin_anew_with_each_run(daemon, broker):
    broker.publish_all([("sensors/kitchen", b'{"n": 1}')] * 5)
    wait_until(lambda: daemon.ledger()["stored"] == 5, "all are stored")
    daemon.stop()
    daemon.start()
    assert daemon.ledger()["stored"] == 5
    found = samples(daemon)
    assert found["messages_total", "stored", "broker"] == found["messages_received_total", "broker"] == 0
    wait_until(lambda: samples(daemon).get(("journal_readings",)) == 5, "the journal is measured")
    assert samples(daemon)["journal_bytes",] > 0


def test_both_formats_are_what_they_say(daemon):
    assert scrape(daemon, "text/plain;version=x, application/json;;=")[0].startswith("text/plain")
    assert scrape(daemon, "application/openmetrics-text;version=x")[0].startswith("application/openmetrics-text")
    kind, text = scrape(daemon, OPEN_METRICS)
    assert kind.startswith("application/openmetrics-text")
    named = {family.name for family in openmetrics_parser.text_string_to_metric_families(text)}
    kind, text = scrape(daemon)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert len(named) == len(list(parser.text_string_to_metric_families(text))) > 20


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing (tools/promtool.sh)")
def test_promtool_finds_nothing_to_say(daemon):
    text = scrape(daemon)[1].encode()
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, timeout=30.0, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing (tools/promtool.sh)")
def test_the_documented_rules_are_rules_about_what_there_is(daemon, tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    rules = tmp_path / "rules.yml"
    rules.write_text(next(block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "groups:" in block))
    checked = subprocess.run([PROMTOOL, "check", "rules", rules], capture_output=True, timeout=30.0, check=False)
    assert checked.returncode == 0, checked.stderr
    there = {sample.split("{")[0].split(" ")[0] for sample in scrape(daemon)[1].splitlines()}
    assert set(re.findall(r"telemetry_gateway_\w+", rules.read_text())) <= there


def test_what_is_documented_is_what_there_is(daemon):
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    names = {line.split()[2] for line in scrape(daemon)[1].splitlines() if line.startswith("# TYPE telemetry_")}
    documented = {row.split("`")[1].split("{")[0] for row in text.splitlines() if row.startswith("| `telemetry_")}
    wait_until(lambda: "telemetry_gateway_journal_bytes" in scrape(daemon)[1], "the journal is measured")
    assert names - documented == set()
    assert documented - names <= {
        f"telemetry_gateway_journal_{name}" for name in ("bytes", "readings", "oldest_reading_timestamp_seconds")
    }


def test_scrapes_under_load_cost_little_and_lose_nothing(daemon, broker):
    messages = [(f"sensors/device-{number % 50}", b'{"n": %d}' % number) for number in range(5000)]
    publisher = threading.Thread(target=broker.publish_all, args=(messages,), kwargs={"qos": 0})
    publisher.start()
    scrapes, received = 0, 0.0
    while received < len(messages):
        received = samples(daemon)["messages_received_total", "broker"]
        scrapes += 1
    publisher.join(10.0)
    wait_until(lambda: daemon.ledger()["stored"] == len(messages), "all are stored")
    before = samples(daemon)["process_cpu_seconds_total",]
    for _ in range(50):
        scrape(daemon)
    assert (samples(daemon)["process_cpu_seconds_total",] - before) / 50 < 0.02
    assert scrapes > 1


def test_a_disk_that_hangs_is_told_and_holds_no_scrape(tmp_path):
    flag, program = tmp_path / "stuck", tmp_path / "stuck.py"
    program.write_text(STUCK)
    command = (sys.executable, str(program), str(flag))
    tables = '[[adapters]]\nname = "a"\ntype = "simulator"\ninterval = "50ms"\n'
    with Daemon(tmp_path / "gateway", tables, command=command) as daemon:
        wait_until(lambda: daemon.ledger()["stored"] > 5, "readings are stored")
        assert ready(daemon) == (200, {"ready": True, "reasons": []})
        flag.touch()
        wait_until(lambda: ready(daemon)[0] == 503, "it isn't ready")
        assert "messages wait for the disk, and none came to its end for " in ready(daemon)[1]["reasons"][-1]
        assert samples(daemon)["ready",] == 0
        assert daemon.get("/healthz") == {"ok": True}
        flag.unlink()
        wait_until(lambda: ready(daemon)[0] == 200, "it is ready again")


def test_the_control_socket_answers_too(daemon):
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(10.0)
        control.connect(str(daemon.socket))
        control.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        answer = control.makefile("rb").read()
    assert answer.endswith(b'{"ready":true,"reasons":[]}')
