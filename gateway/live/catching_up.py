"""Bringing viewers from where they are to the newest: one green thread for each that is behind."""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from gateway.journal import Condensed, Stored
from gateway.live.outside import Event, History, Traffic, Transport
from gateway.live.packets import account, thin
from gateway.live.recall import Recall
from gateway.live.watches import Viewer, Watch
from gateway.logs import Defects
from gateway.runtime import monotonic, sleep, spawn

_MOST_A_PART = 3000
"""Readings: to join more would hold the hub for long."""
_MOST_WHOLE = 500
"""Readings that one who asked for few is sent all the same, to come to its room: reading a view takes so long that
more have come by then."""
_AGAIN_S = 1.0
"""After a defect of ours."""


class CatchingUp:
    """Reads the journal for viewers as fast as each takes it; hub thread only.

    Parameters
    ----------
    transport, history
        Where it goes, and where it comes from.
    due
        Tells up to which ``seq`` a watch may be brought.
    go_live
        Called when a watch has come there, in the same turn of the hub; False: it can't be live yet.
    """

    def __init__(
        self, transport: Transport, history: History, due: Callable[[Watch], int], go_live: Callable[[Watch], bool]
    ) -> None:
        self._transport = transport
        self._history = history
        self._due = due
        self._go_live = go_live
        self._recall = Recall()
        self._defects = Defects(__name__)

    def follow(self, viewer: Viewer, *, late: bool) -> None:
        """Serve ``viewer.behind`` until it is empty; ``late``: it is there because it took too little."""
        behind, traffic = viewer.readings_behind(self._due), self._transport.traffic(viewer.name)
        if not viewer.followed:
            viewer.followed = True
            viewer.pace.begin(monotonic(), behind, traffic, late=late)
            spawn(self._run, viewer)
        elif not late:
            viewer.pace.expect(monotonic(), behind)

    def _run(self, viewer: Viewer) -> None:
        self._transport.ask(viewer.name)  # how long its way is shows best before more is on it
        try:
            while viewer.behind:
                self._try_step(viewer)
        finally:
            viewer.followed = False

    def _try_step(self, viewer: Viewer) -> None:
        """Go a step on; after a defect it is tried again from where the viewer is, so that it misses nothing."""
        try:
            self._step(viewer)
        except Exception as error:  # noqa: BLE001  nobody else would bring this viewer on
            self._defects.report("bringing a viewer to the newest readings", error)
            sleep(_AGAIN_S)

    def _step(self, viewer: Viewer) -> None:
        at, traffic, pace = monotonic(), self._transport.traffic(viewer.name), viewer.pace
        is_ready, behind = pace.is_ready(at, traffic), viewer.readings_behind(self._due)
        if viewer.is_kept_waiting or pace.stands(at, traffic):
            pace.expect(at, behind)
        elif is_ready:
            pace.judge(at, behind)
        if not is_ready:
            self._wait_for_answer(viewer, traffic)
        elif pace.slow and not pace.recover(at):
            self._show_newest(viewer)
        else:
            self._go_on(viewer)

    def _wait_for_answer(self, viewer: Viewer, traffic: Traffic) -> None:
        if not traffic.asked:
            self._transport.ask(viewer.name)
        sleep(viewer.pace.pause_s(traffic))

    # ---- one that keeps up is sent everything

    def _go_on(self, viewer: Viewer) -> None:
        before, size = self._transport.traffic(viewer.name), 0
        for _ in range(len(viewer.behind)):
            if not viewer.behind or size >= viewer.pace.budget:
                break
            watch = viewer.take_turn()
            self._bring_on(watch, viewer.pace.budget - size)
            size = self._transport.traffic(viewer.name).handed - before.handed
            if viewer.pace.may_go_live(size) and self._has_come(watch) and self._go_live(watch):
                del viewer.behind[watch.device]
        if size > 0:
            self._sent(viewer, before, whole=True)
        elif viewer.behind:
            sleep(viewer.pace.pause_s(before))

    def _has_come(self, watch: Watch) -> bool:
        return not watch.ended and watch.position >= self._due(watch)

    def _bring_on(self, watch: Watch, budget: int) -> None:
        upto = self._due(watch)
        if watch.position >= upto:
            return
        if watch.is_thin and upto - watch.position > _MOST_WHOLE:
            self._show_thin(watch, upto)
            return
        limit = max(1, min(budget // watch.mean_bytes, _MOST_A_PART))
        found = self._recall.read(self._history.after, watch, upto, limit)
        if not found:
            self._go_without(watch, upto, unreadable=found is None)
            return
        watch.mean_bytes = sum(len(stored.body) for stored in found) // len(found)
        part = _fitting(found, budget)
        self._send(watch, part[-1].seq, Condensed(part, len(part), part[0].seq))

    # ---- a slow one is sent what fits

    def _show_newest(self, viewer: Viewer) -> None:
        due = [watch for watch in viewer.behind.values() if watch.position < self._due(watch)]
        before, whole = self._transport.traffic(viewer.name), True
        for watch in due:
            if not watch.ended:
                whole &= self._try_show(watch, viewer.pace.budget // len(due))
        if self._transport.traffic(viewer.name).handed > before.handed:
            self._sent(viewer, before, whole=whole)
        else:
            sleep(viewer.pace.pause_s(before))

    def _try_show(self, watch: Watch, budget: int) -> bool:
        """Show one; a defect holds up this one, and none behind it."""
        try:
            return self._show(watch, budget)
        except Exception as error:  # noqa: BLE001  the others are to see what is new
            self._defects.report("showing a viewer the newest readings", error)
            watch.again_at = monotonic() + _AGAIN_S
            return False

    def _show(self, watch: Watch, budget: int) -> bool:
        """Return whether nothing was left out."""
        upto = self._due(watch)
        if watch.is_thin:
            return self._show_thin(watch, upto)
        view = self._recall.read(self._history.condensed, watch, upto, budget)
        if view is None or not view.kept:
            self._go_without(watch, upto, unreadable=view is None)
            return False
        self._send(watch, upto, view)
        return view.is_whole

    def _show_thin(self, watch: Watch, upto: int) -> bool:
        """Send the newest and the extremes if it is time; that is all that was asked for, and so whole."""
        if monotonic() < watch.next_view_at:
            return True
        view = self._recall.read(self._history.condensed, watch, upto, 0)
        if view is None or not view.kept:
            self._go_without(watch, upto, unreadable=view is None)
        elif not watch.ended:
            watch.next_view_at = monotonic() + watch.every_s
            self._hand(watch, upto, thin(watch, upto, view))
        return True

    # ---- both

    def _go_without(self, watch: Watch, upto: int, *, unreadable: bool) -> None:
        """Say what is gone, at once; what can't be read, only when it couldn't for long."""
        if not unreadable:
            self._send(watch, upto, Condensed(()))
        elif self._recall.gives_up(watch):
            self._send(watch, upto, Condensed(()), "unreadable")

    def _send(self, watch: Watch, upto: int, view: Condensed, lost: str = "expired") -> None:
        """Bring ``watch`` to ``upto``, unless its viewer has left meanwhile; ``lost``: why there is no more."""
        if not watch.ended:
            self._hand(watch, upto, account(watch, upto, view, lost))

    def _hand(self, watch: Watch, upto: int, events: Iterable[Event]) -> None:
        self._transport.send_all(watch.viewer, list(events))
        watch.position = upto

    def _sent(self, viewer: Viewer, before: Traffic, *, whole: bool) -> None:
        traffic = self._transport.traffic(viewer.name)
        viewer.pace.sent(monotonic(), traffic.handed - before.handed, traffic, whole=whole)
        self._transport.ask(viewer.name)


def _fitting(found: Sequence[Stored], budget: int) -> Sequence[Stored]:
    """Return as many as fit into ``budget`` bytes, at least one if there is any."""
    sizes = accumulate(len(stored.body) for stored in found)
    return found[: max(1, sum(1 for size in sizes if size <= budget))]
