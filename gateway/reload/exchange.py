"""Exchanges the sources that are different; of a changed one that doesn't come up, the old settings come back."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.plans import Difference, Plan
from gateway.reload.report import Change, What
from gateway.runtime import Event, monotonic
from gateway.sources import Running, Sources

UP_WITHIN_S = 30.0
_LOOK_S = 0.05
_AS_WANTED = ("up", "disabled")
_WORKED = ("up", "stalled", "starting")
"""States of a source whose old settings are worth going back to."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Brings the sources from what runs to what is wanted.

    ``stopping``: the gateway ends; nothing is started any more, and nothing waited for.
    """

    sources: Sources
    stopping: Event
    up_within_s: float = UP_WITHIN_S

    def to(self, wanted: Mapping[str, Plan], as_it_begins: Callable[[], object] = _nothing) -> list[Change]:
        """Touch what is different, wait until it is up, and return what became of it.

        ``as_it_begins`` is called once all is made that is new: if that fails, nothing is touched.
        """
        before = dict(self.sources.plans)
        difference = Difference.between(before, wanted)
        worked = {name for name in before if self.sources.supervisor(name).state in _WORKED}
        made = [self.sources.make(wanted[name]) for name in (*difference.changed, *difference.added)]
        as_it_begins()
        self._begin(difference, wanted, made)
        waiting = self._await_up((*difference.changed, *difference.added))
        reasons = {name: self.sources.supervisor(name).reason for name in waiting}
        reverted = [name for name in difference.changed if name in waiting and name in worked]
        self._go_back({name: before[name] for name in reverted}, wanted)
        return list(self._changes(difference, reverted, reasons))

    def _begin(self, difference: Difference, wanted: Mapping[str, Plan], made: Sequence[Running]) -> None:
        for name in difference.profiles:
            self.sources.exchange_profiles(wanted[name])
        self.sources.take_down((*difference.changed, *difference.removed))
        self.sources.drop(difference.removed)
        self.sources.put_up(made, wanted)
        self._start(difference.changed + difference.added)

    def _start(self, names: Collection[str]) -> None:
        for name in names:
            if not self.stopping.is_set():
                self.sources.supervisor(name).start()

    def _await_up(self, names: Collection[str]) -> set[str]:
        """Wait until these are as they are wanted, but not for ever; return those that aren't."""
        ends_at, waiting = monotonic() + self.up_within_s, set(names)
        while True:
            waiting = {name for name in waiting if self.sources.supervisor(name).state not in _AS_WANTED}
            if not waiting or monotonic() > ends_at or self.stopping.wait(_LOOK_S):
                return waiting

    def _go_back(self, old: Mapping[str, Plan], order: Collection[str]) -> None:
        if old and not self.stopping.is_set():
            self.sources.take_down(old)
            self.sources.put_up([self.sources.make(plan) for plan in old.values()], order)
            self._start(old)

    def _changes(
        self, difference: Difference, reverted: Collection[str], reasons: Mapping[str, str | None]
    ) -> Iterator[Change]:
        yield from (Change(name, "removed", "removed") for name in difference.removed)
        yield from (Change(name, "profiles", "exchanged") for name in difference.profiles)
        yield from (Change(name, "changed", "reverted", reasons[name]) for name in reverted)
        kept = [name for name in difference.changed if name not in reverted]
        yield from (self._change(name, "changed", reasons) for name in kept)
        yield from (self._change(name, "added", reasons) for name in difference.added)

    def _change(self, name: str, what: What, reasons: Mapping[str, str | None]) -> Change:
        if name in reasons:
            return Change(name, what, "waiting", reasons[name])
        supervisor = self.sources.supervisor(name)
        return Change(name, what, "up" if supervisor.config.enabled else "disabled", supervisor.reason)
