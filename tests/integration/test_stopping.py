"""The daemon ends in order and in time, whatever its parts do."""

import os
import re
import textwrap
from pathlib import Path

import pytest

from gateway import daemon as composition
from tests.support.daemon import Daemon
from tests.support.ports import wait_until

UNIT = Path(__file__).parents[2] / "systemd/telemetry-gateway.service"
SOURCES = 4
"""So many that to wait for each in turn would take longer than the daemon gives itself."""


@pytest.fixture
def environment(tmp_path):
    """Variables of an environment in which there is an adapter that hears nothing of its end."""
    package = tmp_path / "installed"
    info = package / "deaf_adapter-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deaf-adapter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gateway.adapters]\ndeaf = deaf_adapter:Deaf\n")
    (package / "deaf_adapter.py").write_text(
        textwrap.dedent("""
        from gateway.adapter import Adapter, AdapterConfig, PayloadConfig
        from gateway.model import RawMessage
        from gateway.runtime import now, sleep


        class Config(AdapterConfig):
            def payloads(self):
                return (PayloadConfig(device=self.name),)


        class Deaf(Adapter):
            Config = Config

            def run(self, emit, stop):
                emit.up()
                emit(RawMessage(b'{"n": 1}', now()))
                while True:
                    sleep(1.0)
        """)
    )
    return {**os.environ, "PYTHONPATH": str(package)}


def test_adapters_that_do_not_end_keep_the_journal_from_nothing(tmp_path, environment):
    names = [f"deaf-{number}" for number in range(SOURCES)]
    tables = "".join(f'[[adapters]]\nname = "{name}"\ntype = "deaf"\n' for name in names)
    with Daemon(tmp_path / "gateway", tables, env=environment) as daemon:
        wait_until(lambda: daemon.ledger()["stored"] == SOURCES, "all is stored")
        assert daemon.stop() == 0
        assert daemon.log.count("did not end in time") == SOURCES
        assert daemon.log.rstrip().endswith("stopped")
        daemon.start()
        assert daemon.ledger()["stored"] >= SOURCES


def test_the_parts_of_a_stop_are_shorter_than_the_whole_and_that_shorter_than_systemd_waits():
    parts_s = composition._SETTLE_S + composition._SOURCES_S + composition._JOURNAL_S
    waits_s = float(re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)[1])
    assert parts_s + 1.0 <= composition._DEADLINE_S < waits_s
