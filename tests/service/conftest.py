"""One machine for all tests of the service, which follow one another as a service's life does."""

import os
import shutil

import pytest

from tests.support.daemon import mqtt
from tests.support.machine import Machine
from tests.support.packages import build
from tests.support.ports import free_port
from tests.support.service import NAME, Service

WATCHDOG_S = 6


def pytest_ignore_collect():
    """``make test-service`` asks for these: they need root, and some minutes."""
    return True if "SERVICE_TESTS" not in os.environ else None


@pytest.fixture(scope="session")
def packages():
    """The packages by architecture, of which the first is this machine's."""
    return {arch: build(arch) for arch in ("amd64", "arm64")}


@pytest.fixture(scope="session")
def package(packages):
    """The package for this machine."""
    return packages["amd64"]


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    """A machine that runs, without the gateway; its Mosquitto is on a port of its own."""
    made = Machine(tmp_path_factory.mktemp("machine"))
    with made as machine:
        yield machine


@pytest.fixture(scope="session")
def broker_port(machine):
    """The port of the machine's Mosquitto, in the network that all share."""
    port = free_port()
    config = machine.root / "etc/mosquitto/conf.d/local.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    machine.run("systemctl restart mosquitto")
    return port


@pytest.fixture(scope="session")
def before(machine):
    """What was on the machine before the gateway came."""
    return machine.files()


@pytest.fixture(scope="session")
def service(machine, before, package, broker_port):
    """The gateway as somebody installs it, then edits the configuration, then starts it."""
    assert before
    policy = (
        machine.root / "usr/sbin/policy-rc.d"
    )  # Debian's way to install without a start: its port may be taken here
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    shutil.copy(package, machine.root / "srv")
    machine.run(f"apt-get install -y --no-install-recommends /srv/{package.name}")
    (machine.root / "srv" / package.name).unlink()
    policy.unlink()
    port = free_port()
    service = Service(machine, port)
    service.config.write_text(service.shipped() + mqtt(broker_port))
    drop_in = machine.root / f"etc/systemd/system/{NAME}.service.d/sooner.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(f"[Service]\nWatchdogSec={WATCHDOG_S}\nRestartSec=500ms\n")
    machine.run("systemctl daemon-reload")
    service.control("start")
    return service


@pytest.fixture
def running(service):
    """The service, active, with its broker up."""
    service.control("start")
    service.wait_source("broker")
    return service
