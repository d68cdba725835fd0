"""The number of devices is bounded, over all sources and restarts."""

import sys

from tests.support.daemon import Daemon
from tests.support.ports import wait_until

SMALL = """
import gateway.__main__
from gateway import daemon
from gateway.roster import Roster

daemon.Roster = lambda: Roster(2)
gateway.__main__.main()
"""


def sensors(name):
    return f'[[adapters]]\nname = "{name}"\ntype = "simulator"\ndevices = 3\ninterval = "200ms"\n'


def test_one_more_is_rejected_and_the_known_are_known_after_a_restart(tmp_path):
    program = tmp_path / "small.py"
    program.write_text(SMALL)
    command = (sys.executable, str(program))
    with Daemon(tmp_path / "gateway", sensors("a"), command=command) as daemon:
        wait_until(lambda: daemon.ledger()["rejected"] >= 2 and daemon.ledger()["stored"] >= 4, "there is no room")
        assert [device["id"] for device in daemon.get("/api/v1/devices")["devices"]] == ["a-1", "a-2"]
        (reject,) = {reject["reason"] for reject in daemon.get("/api/v1/rejects")["rejects"]}
        assert reject == 'more than 2 devices: no room for "a-3"'
    with Daemon(tmp_path / "gateway", sensors("a") + sensors("b"), command=command) as daemon:
        before = daemon.ledger()
        wait_until(lambda: daemon.ledger()["rejected"] >= before["rejected"] + 8, "there is no room")
        assert daemon.ledger()["stored"] > before["stored"]
        assert [device["id"] for device in daemon.get("/api/v1/devices")["devices"]] == ["a-1", "a-2"]
