"""A defect in one of the things that the daemon does for itself ends none of the others."""

import sys

from tests.support.daemon import Daemon
from tests.support.ports import wait_until

BROKEN = """
from gateway.__main__ import main
from gateway.overview import Overview

Overview.tick = lambda self: 1 / 0
main()
"""
SILENT = '[[adapters]]\nname = "silent"\ntype = "simulator"\ndevices = 1\ninterval = "1h"\nstall_after = "500ms"\n'


def test_a_defect_is_shown_and_the_rest_goes_on(tmp_path):
    program = tmp_path / "broken.py"
    program.write_text(BROKEN)
    with Daemon(tmp_path / "gateway", SILENT, command=(sys.executable, str(program))) as daemon:
        wait_until(lambda: "source silent is stalled" in daemon.log, "its silence is judged")  # run again, it speaks
        assert "the gateway's own overview failed; its log says why" in daemon.get("/api/v1/status")["problems"]
        assert daemon.log.count("Traceback") == 1
        assert "ZeroDivisionError" in daemon.log
        assert daemon.stop() == 0
