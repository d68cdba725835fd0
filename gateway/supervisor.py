"""Keeps one adapter running: start, back-off, restart, and a state that people can read."""

import logging
import random
from collections.abc import Callable
from typing import Literal

from gateway.adapter import Adapter, AdapterConfig
from gateway.errors import AdapterDown
from gateway.interval import Interval
from gateway.model import RawMessage
from gateway.runtime import Event, Task, monotonic, now, spawn

log = logging.getLogger(__name__)

SourceState = Literal["starting", "up", "stalled", "down", "failed", "disabled"]

_FIRST_RETRY_S, _LAST_RETRY_S = 0.25, 3.0
"""The other end is tried again soon: it is a cable, or a broker on the same network."""
_FAILED_RETRY_S = 30.0
"""After a defect of ours there is no hurry to meet it again."""
_STALL_LEAST_S, _STALL_TIMES = 30.0, 20.0
_GRACE_S = 2.0


class Supervisor:
    """One source: its adapter, its state, since when and why."""

    def __init__(self, adapter: Adapter[AdapterConfig], take: Callable[[RawMessage], None]) -> None:
        self.config = adapter.config
        self.state: SourceState = "starting"
        self.since = now()
        self.reason: str | None = None
        self._adapter = adapter
        self._take = take
        self._stop = Event()
        self._task: Task | None = None
        self._retry_s = _FIRST_RETRY_S
        self._heard = Interval(monotonic())

    def start(self) -> None:
        """Run the adapter in a green thread of its own, unless it is disabled."""
        if not self.config.enabled:
            self._change("disabled", None)
            return
        self._task = spawn(self._run)

    def stop(self) -> None:
        """Ask the adapter to end; ``join`` waits for it."""
        self._stop.set()

    def join(self) -> None:
        """Wait until the adapter ended; after a grace it is ended where it waits."""
        if self._task is not None and not self._task.join(_GRACE_S):
            log.warning("source %s did not end within %s s", self.config.name, _GRACE_S)
            self._task.kill()

    def check(self) -> None:
        """Judge the silence; call about once a second."""
        limit = self.config.stall_after
        if limit is None and self._heard.known:
            limit = max(_STALL_LEAST_S, _STALL_TIMES * self._heard.seconds)
        silent = self._heard.silent_for(monotonic())
        if self.state == "up" and limit is not None and silent > limit:
            self._change("stalled", f"connected, but nothing was heard for {silent:.0f} s")

    # ---- Emit, as the adapter sees it

    def __call__(self, message: RawMessage) -> None:
        """Take a message in."""
        self._heard.arrived(monotonic())
        if self.state != "up":
            self.up()
        self._take(message)

    def up(self) -> None:
        """Note that the connection stands."""
        self._retry_s = _FIRST_RETRY_S
        self._heard.last = monotonic()
        self._change("up", None)

    # ---- running

    def _run(self) -> None:
        while not self._stop.is_set():
            wait_s = self._run_once()
            self._stop.wait(wait_s * random.uniform(0.75, 1.25))  # noqa: S311  jitter, no secret

    def _run_once(self) -> float:
        """Run the adapter until it ends; return seconds to wait before the next try."""
        try:
            self._adapter.run(self, self._stop)
        except AdapterDown as error:
            self._change("down", str(error))
        except Exception as error:
            reason = f"defect in the adapter: {type(error).__name__}: {error}"
            if reason != self.reason:
                log.exception("source %s failed", self.config.name)
            self._change("failed", reason)
            return _FAILED_RETRY_S
        else:
            if not self._stop.is_set():
                self._change("down", "the adapter ended by itself")
        wait_s, self._retry_s = self._retry_s, min(self._retry_s * 2, _LAST_RETRY_S)
        return wait_s

    def _change(self, state: SourceState, reason: str | None) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        if state != self.state:
            self.since = now()
        self.state, self.reason = state, reason
        level = logging.INFO if state in {"up", "disabled"} else logging.WARNING
        log.log(level, "source %s is %s%s", self.config.name, state, f": {reason}" if reason else "")
