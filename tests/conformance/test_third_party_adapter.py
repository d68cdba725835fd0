"""An adapter in a package of its own: installed, found, held to the suite, run by the daemon."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.ports import LOOPBACK, wait_until

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests/data/tcp_lines_adapter"
GATEWAYCTL = Path(sys.executable).with_name("gatewayctl")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of an environment in which the package is installed beside the gateway."""
    folder = tmp_path_factory.mktemp("third-party")
    shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    target = ["--target", str(folder / "installed"), str(folder / "source")]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *target], check=True)
    return {**os.environ, "PYTHONPATH": str(folder / "installed")}


def test_it_passes_the_suite(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "tests/conformance/test_adapters.py", "-k", "tcp-lines"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert " skipped" not in result.stdout


def test_it_runs_in_the_daemon(tmp_path: Path, environment: dict[str, str]) -> None:
    with socket.create_server((LOOPBACK, 0)) as sensor:
        table = (
            '[[adapters]]\nname = "boiler"\ntype = "tcp-lines"\n'
            f'host = "{LOOPBACK}"\nport = {sensor.getsockname()[1]}\ndecode = "kv"\ndevice = "boiler"\n'
        )
        with Daemon(tmp_path, table, env=environment) as daemon:
            daemon.wait_up("boiler")
            connection, _ = sensor.accept()
            with connection:
                connection.sendall(b"flow=61.5 pump=true\n")
                wait_until(lambda: daemon.ledger()["stored"] == 1, "the reading is stored")
                assert daemon.readings("boiler")[0]["values"] == {"flow": 61.5, "pump": True}
                source = status(daemon, environment)["sources"][0]
                assert (source["name"], source["type"], source["state"]) == ("boiler", "tcp-lines", "up")


def test_without_the_package_its_type_is_unknown(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text('[[adapters]]\nname = "boiler"\ntype = "tcp-lines"\n')
    result = subprocess.run([GATEWAYCTL, "check", str(config)], capture_output=True, text=True, check=False)
    assert result.returncode == 78
    assert '"tcp-lines"' in result.stdout + result.stderr


def status(daemon: Daemon, environment: dict[str, str]) -> dict:
    command = [GATEWAYCTL, "--config", str(daemon.config), "status", "--json"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return json.loads(result.stdout)
