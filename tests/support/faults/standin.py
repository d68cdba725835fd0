"""A server on the control socket that answers as a running gateway does."""

import time
from importlib.metadata import version

from tests.support.control_server import ControlServer
from tests.support.faults.box import Box

LEDGER = dict.fromkeys(("received", "stored", "rejected", "duplicate", "ignored", "dropped", "in_flight"), 0)


def answering(box: Box, sources: list[dict[str, object]] | None = None, running: str = "") -> None:
    """Let something answer as a running gateway does."""
    (box.folder / "state").mkdir()
    status = {
        "gateway": {"name": "x", "version": running or version("telemetry-gateway"), "uptime_s": 1.0},
        "problems": [],
        "sources": [source("pretend", "up")] if sources is None else sources,
    }
    box.stack.enter_context(ControlServer(box.folder / "state" / "control.sock", {"/status": status}))


def source(name: str, state: str, reason: str | None = None, since: float = 0.0) -> dict[str, object]:
    """Return what it says of a source that has brought nothing yet."""
    return {
        "name": name,
        "type": "simulator",
        "state": state,
        "since": since or time.time(),
        "reason": reason,
        "skew_s": None,
    } | {"ledger": LEDGER}
