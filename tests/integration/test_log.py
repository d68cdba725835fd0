"""What the daemon logs: in the form that fits, and not too much of it."""

import json
import os
import re
import sys

import pytest

from tests.support.daemon import Daemon, mqtt
from tests.support.fake_broker import ACCEPT_5, CONNECT, SUBSCRIBE, FakeBroker, suback
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

AWAY = mqtt(1, name="away")


def is_down(daemon):
    return daemon.source_states()["away"] == "down"


def test_the_journal_gets_a_priority_on_each_line(tmp_path):
    log = tmp_path / "daemon.log"
    log.touch()
    stream = f"{log.stat().st_dev}:{log.stat().st_ino}"
    with Daemon(tmp_path, AWAY, env={**os.environ, "JOURNAL_STREAM": stream}) as daemon:
        wait_until(lambda: is_down(daemon), "it is down")
        daemon.stop()
        lines = daemon.log.splitlines()
        daemon.start()
    assert [line for line in lines if not re.match(r"<[346]>[a-z]", line)] == []
    assert any(line.startswith("<4>source away is down: ") for line in lines)
    assert lines[-1] == "<6>stopped"


@pytest.mark.parametrize(
    ("arguments", "variables"), [(["--log-format", "json"], {}), ([], {"GATEWAY_LOG_FORMAT": "json"})]
)
def test_programs_get_an_object_a_line(tmp_path, arguments, variables):
    command = (sys.executable, "-m", "gateway", *arguments)
    with Daemon(tmp_path, AWAY, command=command, env={**os.environ, **variables}) as daemon:
        wait_until(lambda: is_down(daemon), "it is down")
        wait_until(lambda: "away is down" in daemon.log, "it is said")
        (line,) = [line for line in map(json.loads, daemon.log.splitlines()) if "source" in line]
    assert (line["source"], line["level"], line["logger"]) == ("away", "warning", "gateway.supervisor")


def test_a_source_that_comes_and_goes_is_summed_up(tmp_path):
    answers = {CONNECT: lambda _: ACCEPT_5, SUBSCRIBE: suback(1)}
    with FakeBroker(answers) as broker, Daemon(tmp_path, mqtt(broker.port)) as daemon:
        for _ in range(8):
            daemon.wait_up("broker")
            broker.hang_up()
            wait_until(lambda: daemon.source_states()["broker"] == "down", "it is down")
        assert daemon.log.count("source broker is ") == 10
        daemon.stop()
        assert re.search(r"source broker is .* \(the last of \d+ such lines in \d+ s\)", daemon.log)
        daemon.start()


def test_refusals_are_one_line_and_their_count(tmp_path):
    with Mosquitto(tmp_path / "broker") as broker, Daemon(tmp_path / "gateway", mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        broker.publish_all([("sensors/kitchen", b"{")] * 50)
        wait_until(lambda: daemon.ledger()["rejected"] == 50, "all are refused")
        assert daemon.log.count("rejected") == 1
        daemon.stop()
        assert "source broker: 49 more messages rejected in " in daemon.log
        daemon.start()
