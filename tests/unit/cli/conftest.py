import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from tests.support.control_server import ControlServer


def ledger(**counts: int) -> dict[str, int]:
    names = ("received", "stored", "rejected", "duplicate", "ignored", "dropped", "in_flight")
    return dict.fromkeys(names, 0) | counts


def a_status(**changes: object) -> dict[str, object]:
    source = {"name": "broker", "type": "mqtt", "state": "up", "since": time.time() - 200, "reason": None}
    return {
        "gateway": {"name": "greenhouse", "version": "1.2.3", "uptime_s": 7300.0},
        "healthy": True,
        "problems": [],
        "sources": [source | {"ledger": ledger(received=12345, stored=12340, rejected=5)}],
        "ledger": ledger(received=12345, stored=12340, rejected=5),
        "devices": 3,
        "clients": 2,
        "journal": {"readings": 1200000, "bytes": 5 << 20, "oldest": time.time() - 86400 * 3, "writable": True},
        "live": {"lag_ms": {"p50": 1.5, "p99": 8.25}},
    } | changes


def a_device(**changes: object) -> dict[str, object]:
    return {
        "id": "kitchen",
        "source": "broker",
        "state": "online",
        "last_seen": time.time() - 5,
        "last": {"seq": 7, "ts": time.time(), "values": {"temperature": 21.5, "open": False}},
        "rate": 1.25,
        "latest": {"temperature": 21.5, "open": False},
        "metrics": {"temperature": {"type": "float", "unit": "°C"}},
    } | changes


def line(device: str, *values: dict[str, object]) -> bytes:
    readings = [{"seq": seq, "ts": 1767225600.25, "values": found} for seq, found in enumerate(values, start=1)]
    return json.dumps({"device": device, "readings": readings}).encode() + b"\n"


@pytest.fixture
def socket(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("s") / "control.sock"


@pytest.fixture
def daemon(socket):
    """What answers at ``socket``."""
    with ControlServer(socket, {"/status": a_status(), "/devices": {"devices": [a_device()]}}) as server:
        yield server


@pytest.fixture
def run(socket):
    """Run gatewayctl on ``socket``."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--socket", str(socket), *arguments], prog_name="gatewayctl")

    return run
