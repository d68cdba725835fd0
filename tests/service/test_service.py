"""The life of the service under a real systemd: installed, killed, hung, reloaded, rebooted, upgraded, purged.

The tests follow one another: each finds the service as the one before left it.
"""

import re
import subprocess
import time
from contextlib import contextmanager

import pytest
from paho.mqtt import publish

from tests.service.conftest import WATCHDOG_S
from tests.support.ports import LOOPBACK, wait_until
from tests.support.service import NAME
from tests.support.viewers import Viewer

MOST_EXPOSED = 2.0
HANG = """
import time
from gateway.{module} import {name} as stage
def hang(*_, **__):
    while True:
        time.sleep(0.1)
stage.{method} = hang
"""
"""``time.sleep`` is green: the stage hangs, the hub doesn't, but for the native thread of the journal."""
STAGES = {
    "intake": HANG.format(module="intake", name="Intake", method="take"),
    "journal writer": HANG.format(module="journal.committer", name="Committer", method="take").replace(
        "import time", "import eventlet.patcher; time = eventlet.patcher.original('time')"
    ),
    "publishing": HANG.format(module="live", name="Live", method="publish"),
    "live side": HANG.format(module="live", name="Live", method="look"),
    "supervisor": HANG.format(module="supervisor", name="Supervisor", method="check"),
}
SERIAL_PORT = """
import os, pty, shutil, time, tty
master, slave = pty.openpty()
tty.setraw(slave)
name = os.ttyname(slave)
shutil.chown(name, "root", "dialout")
os.chmod(name, 0o660)
if os.path.lexists("/dev/ttyTEST"):
    os.unlink("/dev/ttyTEST")
os.symlink(name, "/dev/ttyTEST")
while True:
    os.write(master, b"21.5,48.0\\n")
    time.sleep(0.2)
"""
SERIAL = """
[[adapters]]
name = "arduino"
type = "serial"
url = "/dev/ttyTEST"
decode = "csv"
columns = ["temperature", "humidity"]
device = "bench"
"""


@pytest.fixture
def say(broker_port):
    """Publish to the machine's broker, from outside."""

    def say(number, device="kitchen"):
        publish.single(f"sensors/{device}", f'{{"n": {number}}}', qos=1, hostname=LOOPBACK, port=broker_port)

    return say


def numbers(service, device="kitchen"):
    return [reading["values"]["n"] for reading in service.readings(device)]


def wait_number(service, number):
    wait_until(lambda: number in numbers(service), f"reading {number} is kept", timeout_s=30.0)


@contextmanager
def edited(service, more):
    """The configuration with ``more`` at its end, for a while."""
    text = service.config.read_text()
    service.config.write_text(text + more)
    yield
    service.config.write_text(text)


def test_it_is_ready_says_how_it_goes_and_is_in_a_sandbox(running):
    assert running.show("NotifyAccess") == "main"
    wait_until(lambda: running.show("StatusText") == "1 of 1 sources up", "the status says so")
    assert running.machine.run(f"systemctl is-enabled {NAME}") == "enabled"
    assert running.machine.run(f"systemd-analyze verify {NAME}.service") == ""
    told = running.machine.run(f"systemd-analyze security --no-pager {NAME}")
    print(told)
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", told)[1]) <= MOST_EXPOSED


def test_as_it_is_installed_it_invents_nothing_and_says_what_is_missing(running):
    devices = running.get("/api/v1/devices")["devices"]
    edited, missing = running.config.read_text(), "no source is configured and enabled"
    running.config.write_text(running.shipped())
    running.control("restart")
    assert running.get("/readyz")["ready"]
    assert running.source_states() == {}
    assert f"add an [[adapters]] table to /etc/{NAME}/gateway.toml" in running.get("/api/v1/status")["problems"][0]
    wait_until(lambda: missing in running.show("StatusText"), "systemctl status says so")
    assert missing in running.machine.run(["sh", "-c", "gatewayctl check 2>&1"])
    running.config.write_text(edited)
    running.control("reload")
    running.wait_source("broker")
    wait_until(lambda: running.show("StatusText") == "1 of 1 sources up", "the status says so")
    assert running.get("/api/v1/devices")["devices"] == devices == []


def test_a_message_to_its_broker_reaches_a_viewer_outside(running, say):
    with Viewer(running.url) as viewer:
        viewer.ask("join", {"device": "kitchen"})
        say(1)
        assert viewer.wait_seq("kitchen", 1) == [1]
    assert numbers(running) == [1]


def test_a_serial_port_is_read_in_the_sandbox(running):
    with subprocess.Popen(running.machine.command(["python3", "-c", SERIAL_PORT])) as port:
        try:
            with edited(running, SERIAL):
                running.control("restart")
                running.wait_source("arduino")
                wait_until(lambda: running.readings("bench"), "its lines are kept")
        finally:
            port.kill()
    running.control("restart")


def test_a_secret_that_root_alone_can_read_is_handed_to_it(running):
    secret = running.machine.root / "etc/telemetry-gateway/secrets/mqtt"
    secret.write_text("hush")
    assert oct(secret.parent.stat().st_mode & 0o777) == "0o700"
    running.control("restart")
    credential = f"/run/credentials/{NAME}.service/secrets_mqtt"
    reads = ["setpriv", f"--reuid={NAME}", f"--regid={NAME}", "--clear-groups", "cat"]
    inside = ["nsenter", "-t", str(running.pid()), "-m", *reads]
    assert running.machine.run([*inside, credential]) == "hush"
    assert "Permission denied" in running.machine.run([*inside, f"/etc/{NAME}/secrets/mqtt"], check=False)


def test_a_kill_is_healed(running, say):
    say(2)
    wait_number(running, 2)
    pid = running.pid()
    running.control("kill --kill-whom=main -s KILL")
    running.wait_other_than(pid)
    running.wait_source("broker")
    say(3)
    wait_number(running, 3)
    assert numbers(running) == [1, 2, 3]


def test_a_stopped_process_is_healed_and_leaves_its_stacks(running):
    pid = running.pid()
    running.control("kill --kill-whom=main -s STOP")
    running.wait_other_than(pid)
    assert "Watchdog timeout" in running.log()
    assert "Fatal Python error: Aborted" in running.log()


def test_a_hub_that_hangs_is_healed_and_says_where(running, tmp_path):
    pid = running.pid()
    code = (
        "import eventlet\ndef loop_that_never_ends():\n while True: pass\neventlet.spawn_after(0, loop_that_never_ends)"
    )
    running.inject(code, tmp_path)
    running.wait_other_than(pid)
    assert "in loop_that_never_ends" in running.log()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_hangs_is_named_and_healed_and_nothing_is_lost(running, say, tmp_path, stage):
    pid, number = running.pid(), 10 + list(STAGES).index(stage)
    running.inject(STAGES[stage], tmp_path)
    say(number)
    running.wait_other_than(pid)
    assert f"the gateway's {stage} has made no progress for" in running.log()
    assert "in hang" in running.log().rpartition(f"the gateway's {stage}")[2]
    wait_number(running, number)


def test_a_broker_that_is_away_is_no_reason_for_the_watchdog(running):
    pid = running.pid()
    running.machine.run("systemctl stop mosquitto")
    running.wait_source("broker", "down")
    wait_until(lambda: "source broker is down" in running.show("StatusText"), "the status says so")
    time.sleep(2.5 * WATCHDOG_S)  # all that is to be seen is that nothing happens
    assert running.pid() == pid
    running.machine.run("systemctl start mosquitto")
    running.wait_source("broker")


def test_a_configuration_error_ends_it_with_78_and_it_is_not_tried_again(running):
    with edited(running, "\n[nonsense]\n"):
        running.control("restart", check=False)
        wait_until(lambda: running.show("ActiveState") == "failed", "it has failed")
        assert running.show("ExecMainStatus") == "78"
        restarts = running.show("NRestarts")
        time.sleep(3.0)  # several times RestartSec
        assert running.show("NRestarts") == restarts
        assert running.show("ActiveState") == "failed"
    assert "nonsense" in running.log()
    running.control("start")


def test_a_reload_keeps_viewers_and_says_whether_it_went(running, say):
    pid, tables = running.pid(), '\n[[adapters]]\nname = "second"\ntype = "simulator"\n'
    with Viewer(running.url) as viewer, edited(running, tables):
        seq = viewer.ask("join", {"device": "kitchen"})["seq"]
        running.control("reload")
        assert running.source_states()["second"] == "up"
        say(20)
        viewer.wait_seq("kitchen", seq + 1)
        with edited(running, "\n[nonsense]\n"):
            assert "failed" in running.control("reload", check=False)
        say(21)
        viewer.wait_seq("kitchen", seq + 2)
        assert not [event for event in viewer.events if event["event"] == "disconnect"]
    running.control("reload")
    assert running.pid() == pid
    assert running.is_ready()


def test_a_stop_comes_to_its_end_in_order(running):
    running.control("stop")
    assert (running.show("Result"), running.show("ExecMainStatus")) == ("success", "0")
    told = running.log()
    assert told.rindex("stopped") > told.rindex("ready on http")


def test_a_reboot_of_the_machine_keeps_all_readings(running, say):
    before = numbers(running)
    assert before
    running.machine.reboot()
    running.wait_ready()
    running.wait_source("broker")
    assert numbers(running) == before
    say(30)
    wait_number(running, 30)
    assert [reading["seq"] for reading in running.readings("kitchen")] == list(range(1, len(before) + 2))


def test_an_upgrade_keeps_configuration_and_journal(running, package, tmp_path):
    before, pid, config = numbers(running), running.pid(), running.config.read_text()
    newer = tmp_path / "newer"
    subprocess.run(["dpkg-deb", "-R", str(package), str(newer)], check=True, timeout=60.0)
    control = newer / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+newer", control.read_text()))
    shipped = newer / "etc/telemetry-gateway/gateway.toml"
    shipped.write_text("# a new remark\n" + shipped.read_text())
    target = running.machine.root / "srv/newer.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", str(newer), str(target)], check=True, timeout=120.0
    )
    running.machine.run("apt-get install -y -o Dpkg::Options::=--force-confold /srv/newer.deb")
    running.wait_ready()
    running.wait_source("broker")
    assert running.machine.run(f"dpkg-query -W -f ${{Version}} {NAME}").endswith("+newer")
    assert running.pid() != pid
    assert running.config.read_text() == config
    assert numbers(running) == before


def test_a_purge_leaves_the_user_and_nothing_else(running, before):
    machine = running.machine
    machine.run(f"apt-get purge -y {NAME}")
    drop_in = machine.root / f"etc/systemd/system/{NAME}.service.d"
    (drop_in / "sooner.conf").unlink()
    drop_in.rmdir()
    left = sorted(path for path in machine.files() - before if "gateway" in path)
    assert left == []
    assert machine.run(f"systemctl is-active {NAME}", check=False) == "inactive"
    assert NAME in (machine.root / "etc/passwd").read_text()
