"""Runs one adapter as the core would; commands come on stdin, what happens goes to stdout as JSON lines.

Arguments: the adapter's table in JSON; whether to settle each message at once, in JSON.
"""

import base64
import json
import os
import sys
import warnings

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()

from collections.abc import Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from typing import Any  # noqa: E402

from gateway import runtime  # noqa: E402
from gateway.adapter import Adapter  # noqa: E402
from gateway.errors import AdapterDown  # noqa: E402
from gateway.model import RawMessage  # noqa: E402
from gateway.registry import Registry  # noqa: E402
from gateway.runtime import Event  # noqa: E402

SHOWN_BYTES = 64 * 1024


def say(event: str, **more: object) -> None:
    """Tell the test."""
    runtime.native_write(1, json.dumps({"event": event, **more}).encode() + b"\n")


def make_adapter(table: dict[str, Any]) -> tuple[Adapter[Any], list[str]]:
    """Return the adapter of a table in gateway.toml, and what I/O its constructor did."""
    found = Registry.installed().find(table["type"])
    config = found.Config.model_validate_json(json.dumps(table), strict=True)
    with watched_io() as events:
        adapter: Adapter[Any] = found(config)
    return adapter, events


@contextmanager
def watched_io() -> Iterator[list[str]]:
    """Collect the names of Python's audit events that are input or output."""
    events: list[str] = []
    watching = True

    def note(event: str, _: object) -> None:
        if watching and event.startswith(("open", "os.", "socket.", "subprocess.")):
            events.append(event)

    sys.addaudithook(note)  # there is no way to take it away again
    yield events
    watching = False


class Host:
    """What the core is to an adapter: emit, stop, settle."""

    def __init__(self, adapter: Adapter[Any], *, settle_at_once: bool) -> None:
        self._adapter = adapter
        self._settle_at_once = settle_at_once
        self._messages: list[RawMessage] = []
        self._stop = Event()

    def __call__(self, message: RawMessage) -> None:
        """Take a message."""
        self._messages.append(message)
        say("message", size=len(message.payload), bytes=type(message.payload) is bytes, **_shown(message))
        if self._settle_at_once:
            runtime.spawn(message.settle)

    def many(self, messages: Sequence[RawMessage]) -> None:
        """Take messages."""
        for message in messages:
            self(message)

    def up(self, remark: str | None = None) -> None:
        """Note that the connection stands."""
        say("up", remark=remark)

    def slack_s(self) -> float:
        """Want messages now."""
        return 0.0

    def run(self) -> None:
        """Call the adapter's ``run`` in a green thread."""
        self._stop = Event()
        runtime.spawn(self._run, self._stop)

    def stop(self) -> None:
        """End the newest run."""
        self._stop.set()

    def settle(self) -> None:
        """Settle all messages."""
        try:
            for message in self._messages:
                message.settle()
        except Exception as error:  # noqa: BLE001  for the test to judge
            say("settled", error=repr(error))
        else:
            say("settled", error=None)

    def refresh(self) -> None:
        """Call the adapter's ``refresh``."""
        try:
            say("refreshed", found=self._adapter.refresh())
        except Exception as error:  # noqa: BLE001  for the test to judge
            say("refreshed", found=repr(error))

    def probe(self) -> None:
        """Call the adapter's ``probe`` in a green thread."""
        runtime.spawn(self._probe)

    def _run(self, stop: Event) -> None:
        try:
            self._adapter.run(self, stop)
        except AdapterDown as error:
            say("ended", kind="AdapterDown", error=str(error))
        except Exception as error:  # noqa: BLE001  for the test to judge
            say("ended", kind=type(error).__name__, error=str(error))
        else:
            say("ended", kind="returned", error=None)

    def _probe(self) -> None:
        try:
            say("probed", found=self._adapter.probe())
        except AdapterDown as error:
            say("probed", found=f"AdapterDown: {error}")


def _shown(message: RawMessage) -> dict[str, object]:
    plain = ("flaw", "whole_size", "arrived", "acknowledged", "packet_id", "redelivered", "retained")
    return {
        "payload": base64.b64encode(message.payload[:SHOWN_BYTES]).decode(),
        "topic": base64.b64encode(message.topic).decode(),
        **{name: getattr(message, name) for name in plain},
    }


def main() -> None:
    """Make the adapter, and obey until stdin ends."""
    adapter, io = make_adapter(json.loads(sys.argv[1]))
    host = Host(adapter, settle_at_once=json.loads(sys.argv[2]))
    os.set_blocking(0, False)
    say("ready", io=io)
    while True:
        runtime.wait_readable(0, 60.0)
        try:
            data = runtime.read_now(0, 4096)
        except BlockingIOError:
            continue
        if not data:
            return
        for command in data.decode().split():
            getattr(host, command)()


if __name__ == "__main__":
    main()
