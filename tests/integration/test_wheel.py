"""The wheel is all that one needs: installed into an environment that knows nothing of this project's folder."""

import re
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import pytest

from tests.support.daemon import Daemon

ROOT = Path(__file__).parents[2]
SIMULATOR = '[[adapters]]\nname = "pretend"\ntype = "simulator"\n'


def run(program, *arguments):
    subprocess.run([program, *arguments], cwd=ROOT, check=True, timeout=300.0, capture_output=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The folder of an environment with the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    run(sys.executable, "-m", "pip", "wheel", *build, ".")
    (wheel,) = folder.glob("telemetry_gateway-*.whl")
    venv.create(folder / "venv", with_pip=False)
    pip = (sys.executable, "-m", "pip", "--python", str(folder / "venv/bin/python"))
    run(*pip, "install", "--require-hashes", "-r", "requirements/runtime.lock")
    run(*pip, "install", "--no-deps", str(wheel))
    return folder / "venv"


def fetch(url):
    with urllib.request.urlopen(url, timeout=10.0) as answer:
        assert answer.status == 200
        return answer.read().decode()


def test_its_page_is_served_with_all_that_the_page_loads(tmp_path, environment):
    with Daemon(tmp_path / "gateway", SIMULATOR, command=[str(environment / "bin/gatewayd")]) as daemon:
        daemon.wait_up("pretend")
        page = fetch(daemon.url + "/")
        assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert assets
        for asset in assets:
            assert fetch(daemon.url + asset)
        assert "io" in fetch(daemon.url + "/static/vendor/socket.io.esm.min.js")
        assert "uPlot" in fetch(daemon.url + "/static/vendor/uPlot.esm.js")
        run(environment / "bin/gatewayctl", "--config", daemon.config, "status")
