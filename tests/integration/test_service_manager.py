"""What systemd hears of the daemon, through a socket as systemd's."""

import os
import signal
import textwrap

import pytest

from gateway.model import Outcome
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port, wait_until
from tests.support.service_manager import ServiceManager

WATCHDOG_S = 4.0
HANGING = """
from pathlib import Path
from time import sleep

from pydantic import BaseModel, ConfigDict, model_validator


class Hanging(BaseModel):
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def wait(self):
        while Path(__file__).with_name("hang").exists():
            sleep(0.05)
        return self
"""


@pytest.fixture
def systemd(tmp_path):
    with ServiceManager(tmp_path / "systemd", watchdog_s=WATCHDOG_S) as manager:
        yield manager


def test_ready_and_alive_with_the_broker_away_and_in_words(tmp_path, systemd):
    with Daemon(tmp_path / "gateway", mqtt(free_port()), env={**os.environ, **systemd.environment}) as daemon:
        systemd.wait_for("READY", "1")
        systemd.wait_for("STATUS", "0 of 1 sources up; source broker is down: ")
        seen = systemd.signs_of_life()
        wait_until(lambda: systemd.signs_of_life() >= seen + 4, "it stays alive", timeout_s=4 * WATCHDOG_S)
        assert daemon.stop() == 0
    assert [name for name, _ in systemd.take() if name in {"READY", "STOPPING"}] == ["READY", "STOPPING"]
    assert systemd.values("STATUS")[0] == "opening the journal"


def test_an_abort_leaves_the_stacks_of_all_threads(tmp_path, systemd):
    with Daemon(tmp_path / "gateway", "", env={**os.environ, **systemd.environment}) as daemon:
        systemd.wait_for("WATCHDOG")
        daemon.process.send_signal(signal.SIGABRT)
        assert daemon.process.wait(timeout=20.0) == -signal.SIGABRT
        daemon.process = None
        assert "Fatal Python error: Aborted" in daemon.log
        assert daemon.log.count("Thread 0x") >= 2  # the journal's writer and the log's at least


def test_a_hanging_intake_stops_the_signs_until_it_goes_on(tmp_path, systemd):
    (tmp_path / "sensors_models.py").write_text(textwrap.dedent(HANGING))
    flag = tmp_path / "hang"
    tables = '[profiles.hanging]\nmodel = "sensors_models:Hanging"\n'
    env = {**os.environ, **systemd.environment, "PYTHONPATH": str(tmp_path)}
    with Mosquitto(tmp_path / "mosquitto") as broker:
        tables = mqtt(broker.port) + 'profile = "hanging"\n' + tables
        with Daemon(tmp_path / "gateway", tables, env=env) as daemon:
            daemon.wait_up("broker")
            flag.touch()
            broker.publish("sensors/kitchen", '{"n": 1}')
            systemd.wait_for("STATUS", "the gateway's intake has made no progress for ")
            before = systemd.signs_of_life()
            wait_until(lambda: "sensors_models.py" in daemon.log, "the log says where it hangs")
            assert any("intake" in problem for problem in daemon.get("/api/v1/status")["problems"])
            assert systemd.signs_of_life() == before
            flag.unlink()
            wait_until(lambda: systemd.signs_of_life() > before, "it is alive again")
            wait_until(lambda: daemon.ledger()[Outcome.STORED] == 1, "the message is stored")
