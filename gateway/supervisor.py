"""Keeps one adapter running: start, back-off, restart, and a state that people can read."""

import logging
import math
import random
from collections.abc import Callable, Sequence
from typing import Literal

from gateway.adapter import Adapter, AdapterConfig
from gateway.errors import AdapterDown
from gateway.interval import Interval
from gateway.ladder import Ladder, Rung
from gateway.model import RawMessage
from gateway.runtime import Event, Task, monotonic, now, spawn

log = logging.getLogger(__name__)

SourceState = Literal["starting", "up", "stalled", "down", "failed", "disabled"]

_FIRST_RETRY_S, _LAST_RETRY_S = 0.25, 3.0
"""The other end is tried again soon: it is a cable, or a broker on the same network."""
_FAILED_RETRY_S = 30.0
"""After a defect of ours there is no hurry to meet it again."""
_STALL_LEAST_S, _STALL_TIMES = 30.0, 20.0
_TRY_LEAST_S = 30.0
"""An adapter that connects has time-outs of its own, and says more when they end than can be said here."""
_GRACE_S = 2.0


class Supervisor:
    """One source: its adapter, its state, since when and why."""

    def __init__(
        self,
        adapter: Adapter[AdapterConfig],
        take: Callable[[Sequence[RawMessage]], None],
        hide: Callable[[str], str] = str,
        slack_s: Callable[[], float] = float,
    ) -> None:
        self.config = adapter.config
        self._field = {"source": adapter.config.name}
        self.state: SourceState = "starting"
        self.since = now()
        self.changed_at = monotonic()
        self.reason: str | None = None
        self._adapter = adapter
        self._take = take
        self._hide = hide
        self.slack_s = slack_s
        self._stop = Event()
        self._stop_run = Event()
        self._task: Task | None = None
        self._overdue_at = math.inf
        self._retry_s = _FIRST_RETRY_S
        self._remark: str | None = None
        self._heard = Interval(monotonic())
        self._ladder = Ladder()
        self.parted_at: float | None = -math.inf
        """Since when it is not connected; None: it is."""
        self._tries = Ladder()
        self._trying_since = math.inf

    def start(self) -> None:
        """Run the adapter in a green thread of its own, unless it is disabled."""
        if not self.config.enabled:
            self._change("disabled", None)
            return
        self._task = spawn(self._run)

    def stop(self) -> None:
        """Ask the adapter to end; ``join`` waits for it."""
        self._stop.set()
        self._stop_run.set()

    def join(self, timeout_s: float) -> None:
        """Wait until the adapter ended; after ``timeout_s`` it is ended where it waits."""
        if self._task is not None and not self._task.join(timeout_s):
            log.warning(
                "source %s did not end in time, and is ended where it waits", self.config.name, extra=self._field
            )
            self._task.kill()

    def retire(self) -> None:
        """Take nothing in any more, after ``join``: whatever comes late stays with its sender."""
        self._take = lambda _messages: None  # neither counted nor settled

    def check(self, *, held: bool = False) -> None:
        """Judge the silence, and do something about it; call about once a second.

        ``held``: messages of this source wait for the disk. So may their sender, for the acknowledgements.
        """
        self._end_overdue_run()
        if held:
            self._heard.last = monotonic()
        stall_s = self._stall_s()
        if stall_s is None or self._stop_run.is_set():
            return
        if self.parted_at is None:
            self._climb(self._heard.silent_for(monotonic()), stall_s)
        else:
            self._judge_try(monotonic() - self._trying_since, stall_s)

    def clock_set(self) -> None:
        """Say by the clock as it is now since when the state is what it is."""
        self.since = now() - (monotonic() - self.changed_at)

    # ---- Emit, as the adapter sees it

    def __call__(self, message: RawMessage) -> None:
        """Take a message in."""
        self.many((message,))

    def many(self, messages: Sequence[RawMessage]) -> None:
        """Take messages in."""
        # What a run says that was told to end is no sign of life, and neither is what a broker had kept.
        if not (self._stop_run.is_set() or all(message.retained for message in messages)):
            self._hear()
        self._take(messages)

    def _hear(self) -> None:
        if self.parted_at is not None:
            self._connect()
        self._heard.arrived(monotonic())
        if self.state != "up":
            self._rise()

    def up(self, remark: str | None = None) -> None:
        """Note that the connection stands."""
        self._remark = remark
        if self._stop_run.is_set():
            return
        self._connect()
        if self._ladder.climbed:
            self._say_silent("connected again")
        else:
            self._rise()

    # ---- silence

    def _connect(self) -> None:
        """Let the silence go on from where it was: who can't be reached is not silent, but for a moment.

        The moment counts, for the sake of a broker that closes each connection as soon as it stands.
        """
        if self.parted_at is None:
            return
        at = monotonic()
        away_s = max(0.0, at - self.parted_at - _LAST_RETRY_S)
        self._heard.last = min(at, self._heard.last + away_s)
        self.parted_at, self._tries = None, Ladder()

    def _stall_s(self) -> float | None:
        """Return how long this source may be silent; None: nothing is known about it."""
        if self.config.stall_after is None and self._heard.known:
            return max(_STALL_LEAST_S, _STALL_TIMES * self._heard.seconds)
        return self.config.stall_after

    def _say_silent(self, tried: str) -> None:
        known = [f"nothing was heard for more than {self._stall_s() or 0:.3g} s", tried, self._remark]
        self._change("stalled", "; ".join(filter(None, known)))

    def _climb(self, silent_s: float, stall_s: float) -> None:
        rung = self._ladder.climb(silent_s, stall_s)
        if rung is None:
            return
        if rung is Rung.REFRESH and not self._refresh():
            rung = self._ladder.skip(silent_s)
        self._say_silent(rung.value)
        if rung is Rung.RUN_AGAIN:
            self._end_run()

    def _judge_try(self, trying_s: float, stall_s: float) -> None:
        """Tell of a run that neither connects nor fails, and begin it again; there is nothing to refresh yet."""
        rung = self._tries.climb(trying_s, max(stall_s, _TRY_LEAST_S))
        late = f"not connected after {stall_s:g} s"
        if rung is Rung.RUN_AGAIN:
            self._change("stalled", f"{late}; {rung.value}")
            self._end_run()
        elif rung or (self.state == "starting" and trying_s > stall_s):
            self._change("stalled", late)

    def _end_run(self) -> None:
        self._stop_run.set()
        self._overdue_at = monotonic() + _GRACE_S

    def _refresh(self) -> bool:
        try:
            return self._adapter.refresh()
        except Exception:
            log.exception("source %s can't be refreshed", self.config.name, extra=self._field)
            return False

    def _end_overdue_run(self) -> None:
        if monotonic() > self._overdue_at and self._task is not None and not self._stop.is_set():
            text = "source %s did not end within %s s, and is ended where it waits"
            log.warning(text, self.config.name, _GRACE_S, extra=self._field)
            self._task.kill()
            self._task = spawn(self._run)

    # ---- running

    def _run(self) -> None:
        while not self._stop.is_set():
            wait_s = self._run_once()
            self._stop.wait(wait_s * random.uniform(0.75, 1.25))  # noqa: S311  jitter, no secret

    def _run_once(self) -> float:
        """Run the adapter until it ends; return seconds to wait before the next try."""
        self._stop_run = Event()
        if not self._tries.climbed:
            self._trying_since = monotonic()
        try:
            self._adapter.run(self, self._stop_run)
        except AdapterDown as error:
            self._fall("down", str(error))
        except Exception as error:
            reason = self._hide(f"defect in the adapter: {type(error).__name__}: {error}")
            if reason != self.reason:
                log.exception("source %s failed", self.config.name, extra=self._field)
            self._fall("failed", reason)
            return _FAILED_RETRY_S
        else:
            if self._stop_run.is_set():
                return 0.0
            self._fall("down", "the adapter ended by itself")
        finally:
            self._overdue_at = math.inf
            if self.parted_at is None:
                self.parted_at = monotonic()
        wait_s, self._retry_s = self._retry_s, min(self._retry_s * 2, _LAST_RETRY_S)
        return wait_s

    def _rise(self) -> None:
        self._retry_s, self._ladder = _FIRST_RETRY_S, Ladder()
        self._change("up", self._remark)

    def _fall(self, state: Literal["down", "failed"], reason: str) -> None:
        self._tries, self._trying_since = Ladder(), math.inf
        self._change(state, reason)

    def _change(self, state: SourceState, reason: str | None) -> None:
        reason = self._hide(reason) if reason else reason
        if (state, reason) == (self.state, self.reason):
            return
        if state != self.state:
            self.since, self.changed_at = now(), monotonic()
        self.state, self.reason = state, reason
        well = state == "disabled" or (state == "up" and reason is None)
        level = logging.INFO if well else logging.WARNING
        log.log(level, "source %s is %s%s", self.config.name, state, f": {reason}" if reason else "", extra=self._field)
