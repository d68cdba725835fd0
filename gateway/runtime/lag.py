"""How long the hub is busy at a stretch: what becomes ready meanwhile waits for the end of that turn."""

import time
from collections import deque
from typing import Any, NamedTuple

import eventlet.hubs

LONG_S = 0.05
"""A turn of the hub that people would notice."""
_KEPT_S = 60
_SHORT_S = 0.001
"""Turns below it are not looked at: there are thousands a second."""


class _Second(NamedTuple):
    at: int
    wall_s: float
    cpu_s: float


class HubLag:
    """Measures every turn of the hub, from one look at its sockets to the next.

    Time on the clock says what others had to wait. CPU time of the hub's thread says how much of that was
    the gateway's own doing: what else runs on the machine doesn't count.
    """

    def __init__(self) -> None:
        self.long_turns = 0
        """Turns since the start that took the thread more than ``LONG_S`` of CPU time."""
        self._seconds: deque[_Second] = deque(maxlen=_KEPT_S)
        """The longest turn of each second that had one worth a look, in order."""
        self._woke = 0.0
        self._cpu = 0.0
        self._poll: Any = None

    def watch(self) -> None:
        """Begin; hub thread only, once. There is no public hook; a contract test pins this one."""
        hub = eventlet.hubs.get_hub()
        self._woke, self._cpu = time.monotonic(), time.thread_time()
        self._poll, hub.do_poll = hub.do_poll, self._measured

    def _measured(self, seconds: float | None) -> Any:
        at, cpu = time.monotonic(), time.thread_time()
        if at - self._woke >= _SHORT_S:
            self._note(at, at - self._woke, cpu - self._cpu)
        self._cpu = cpu
        ready = self._poll(seconds)
        self._woke = time.monotonic()
        return ready

    def _note(self, at: float, wall_s: float, cpu_s: float) -> None:
        self.long_turns += cpu_s > LONG_S
        last = self._seconds[-1] if self._seconds else None
        if last and last.at == int(at):
            self._seconds[-1] = _Second(last.at, max(last.wall_s, wall_s), max(last.cpu_s, cpu_s))
        else:
            self._seconds.append(_Second(int(at), wall_s, cpu_s))

    def lag_ms(self) -> dict[str, float]:
        """Return, of the longest turns of each of the last 60 s: their median, the longest, and the dearest in CPU."""
        begin = time.monotonic() - _KEPT_S
        lately = [second for second in self._seconds if second.at >= begin]
        walls = sorted([second.wall_s for second in lately] + [0.0] * (_KEPT_S - len(lately)))
        cpu_s = max((second.cpu_s for second in lately), default=0.0)
        return {
            name: round(1000 * s, 3)
            for name, s in (("p50", walls[_KEPT_S // 2]), ("max", walls[-1]), ("cpu_max", cpu_s))
        }
