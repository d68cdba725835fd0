"""What the daemon logs: in the form that fits, and not too much of it."""

import http.client
import json
import os
import re
import socket
import struct
import sys
from contextlib import closing

import pytest

from tests.support.daemon import Daemon, mqtt
from tests.support.fake_broker import ACCEPT_5, CONNECT, SUBSCRIBE, FakeBroker, suback
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

BROKEN = """
import gateway.__main__
from gateway.web.guard import Guard

answer = Guard.__call__

def fail(self, environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise ZeroDivisionError("a defect")
    return answer(self, environ, start_response)

Guard.__call__ = fail
gateway.__main__.main()
"""
AWAY = mqtt(1, name="away")


def is_down(daemon):
    return daemon.source_states()["away"] == "down"


def test_the_journal_gets_a_priority_on_each_line(tmp_path):
    command = (sys.executable, "-m", "gateway", "--log-format", "journal")
    with Daemon(tmp_path, AWAY, command=command) as daemon:
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


def test_a_defect_below_flask_is_heard_of_and_a_client_that_leaves_is_not(tmp_path):
    program = tmp_path / "broken.py"
    program.write_text(BROKEN)
    with Daemon(tmp_path / "gateway", AWAY, command=(sys.executable, str(program))) as daemon:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", daemon.port)) as hasty:
                hasty.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
                hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it is reset
        with closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10.0)) as connection:
            connection.request("GET", "/broken")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (500, b"")
        wait_until(lambda: "ZeroDivisionError: a defect" in daemon.log, "it is heard of")
        assert daemon.log.count("Traceback") == 1
