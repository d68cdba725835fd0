"""``gatewayctl doctor`` where systemd is real: what tests/integration/test_doctor.py has but a stand-in for."""

import json
from contextlib import contextmanager

import pytest

from tests.support.service import NAME

OF_THIS_MACHINE = {"clock-not-synchronised", "page-on-loopback"}
UNIT = f"etc/systemd/system/{NAME}.service"
TLS = """
[[adapters]]
name = "tls"
type = "mqtt"
enabled = false
tls = true
ca_file = "/home/pi/ca.crt"
[[adapters.routes]]
topic = "a/{device}"
"""


def visit(service, *before):
    """Return the names of what doctor finds, and its exit status."""
    command = [*before, "sh", "-c", "gatewayctl doctor --json; echo $?"]
    told, _, status = service.machine.run(command).rpartition("\n")
    found = {finding["name"] for finding in json.loads(told)["findings"]}
    return found - OF_THIS_MACHINE, int(status)


@contextmanager
def written(service, name, text):
    """Let a file be there for a while; systemd doesn't hear of it."""
    file = service.machine.root / name
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)


def test_of_a_service_that_works_nothing_is_said(running):
    found, _ = visit(running)
    assert found == set()


@pytest.mark.parametrize(
    ("fault", "remedy", "name"),
    [("stop", "start", "service-stopped"), ("disable", "enable", "service-not-enabled")],
)
def test_what_systemd_was_told_to_do(running, fault, remedy, name):
    running.control(fault)
    found, status = visit(running)
    running.control(remedy)
    assert (found, status) == ({name}, 1)


def test_an_old_unit_first_not_seen_and_then_in_the_way(running):
    packaged = running.machine.root / f"lib/systemd/system/{NAME}.service"
    with written(running, UNIT, packaged.read_text().replace("Type=notify", "Type=exec")):
        assert visit(running)[0] == {"service-needs-reload"}
        running.machine.run("systemctl daemon-reload")
        assert visit(running)[0] == {"service-file-old"}
    running.machine.run("systemctl daemon-reload")
    assert visit(running)[0] == set()


def test_a_configuration_that_ended_it(running):
    with written(running, f"etc/{NAME}/gateway.toml", running.config.read_text() + "[nonsense]\n"):
        running.control("restart", check=False)
        assert visit(running) == ({"configuration", "service-failed"}, 78)
    running.control("start")


def test_what_systemd_sets_for_the_service_is_known(running):
    """Where it isn't, the configuration can't be read."""
    drop_in, file = f"etc/systemd/system/{NAME}.service.d/environment.conf", "etc/default/gateway-of-a-test"
    text = running.config.read_text()
    referring = text.replace('\nhost = "127.0.0.1"\n', '\nhost = "${BROKER}"\nusername = "${WHO}"\n')
    assert referring != text
    with (
        written(running, drop_in, f"[Service]\nEnvironment='WHO=a gateway' OTHER=x\nEnvironmentFile=-/{file}\n"),
        written(running, file, "# where it is\nBROKER=127.0.0.1\n"),
        written(running, f"etc/{NAME}/gateway.toml", referring),
    ):
        running.machine.run("systemctl daemon-reload")
        running.control("restart")
        running.wait_source("broker")
        assert visit(running)[0] == set()
    running.machine.run("systemctl daemon-reload")
    running.control("restart")


def test_what_the_sandbox_hides(running):
    text = running.config.read_text()
    elsewhere = text.replace('state_dir = "/var/lib/telemetry-gateway"', 'state_dir = "/srv/gateway"')
    assert elsewhere != text
    with written(running, f"etc/{NAME}/gateway.toml", text + TLS):
        assert "service-cannot-see" in visit(running)[0]
    running.control("stop")
    with written(running, f"etc/{NAME}/gateway.toml", elsewhere):
        assert "service-cannot-write" in visit(running)[0]
    running.control("start")


def test_who_may_not_ask_is_told_so_and_nothing_false(running):
    assert visit(running, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups") == (
        {"control-socket-forbidden"},
        1,
    )
