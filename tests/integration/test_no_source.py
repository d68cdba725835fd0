"""A gateway that was just installed has no source: it runs, and everything says in the same words what is missing."""

import subprocess
import sys

import pytest

from tests.support.daemon import Daemon
from tests.support.ports import wait_until

SIMULATOR = '[[adapters]]\nname = "pretend"\ntype = "simulator"\n'
SWITCHED_OFF = f"{SIMULATOR}enabled = false\n"


def ctl(daemon, *arguments):
    program = [sys.executable, "-c", "from gateway.cli import main; main()", "--config", str(daemon.config), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60.0, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("tables", ["", SWITCHED_OFF])
def test_all_say_it_until_there_is_one(tmp_path, tables):
    with Daemon(tmp_path, tables) as daemon:
        remedy = f"add an [[adapters]] table to {daemon.config}, then gatewayctl reload"
        problem = f"no source is configured and enabled: nothing will come; {remedy}"
        status = daemon.get("/api/v1/status")
        assert (status["healthy"], status["problems"]) == (False, [problem])
        assert daemon.get("/readyz") == {"ready": True, "reasons": []}
        assert problem in daemon.log
        assert ctl(daemon, "check") == (0, f"{_checked(daemon, tables)} warning: {problem}")
        for command, code in (("status", 1), ("doctor", 1), ("reload", 0)):
            done = ctl(daemon, command)
            assert (done[0], remedy in done[1]) == (code, True), done
        daemon.configure(SIMULATOR)
        assert ctl(daemon, "reload")[0] == 0
        daemon.wait_up("pretend")
        wait_until(lambda: daemon.get("/api/v1/status")["healthy"], "all is well")


def _checked(daemon, tables):
    count = f"{tables.count('[[adapters]]')} adapter{'' if tables else 's'}"
    return f"{daemon.config}: {count}, 0 profiles: OK"
