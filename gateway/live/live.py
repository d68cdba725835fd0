"""Who watches what; hub thread only."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from gateway.live.catching_up import CatchingUp
from gateway.live.emissions import Emissions
from gateway.live.numbering import Numbers
from gateway.live.outside import History, Transport
from gateway.live.pace import ask_every_s
from gateway.live.rooms import Room, Rooms, slack_s
from gateway.live.thinning import interval_s
from gateway.live.watches import Viewer, Watch
from gateway.model import Reading
from gateway.runtime import cpu_time, monotonic, sleep

_MOST_DEVICES = 1000
"""Devices that one viewer may watch."""
_LOOKS_A_ROUND = 10
"""All are asked within so many looks, and not in one: a hundred answers at once would hold the hub."""
_FEW_ASKS = 8
"""In a look, however few viewers there are: within their interval all get their turn."""
_MOST_CLOSELY = 100
"""Of so many the system is asked in a look what they took: a look at 200 viewers cost 8 % of what they cost in all."""
_AT_A_STRETCH_S = 0.001
"""Of CPU time, for news that nobody waits for."""


class TooManyDevices(Exception):
    """A viewer asked for more devices than one may watch."""


class Live:
    """The way from a commit to the viewers, and from a viewer to its place.

    Parameters
    ----------
    transport, history
        The way to viewers, and the journal.
    spent_s
        How much the hub has worked, in seconds: what emissions cost is measured by it.
    """

    def __init__(self, transport: Transport, history: History, spent_s: Callable[[], float] = cpu_time) -> None:
        self._transport = transport
        self._numbers = Numbers()
        self._rooms = Rooms()
        self._viewers: dict[str, Viewer] = {}
        self._recount: set[str] = set()
        self._taps: list[Callable[[str, Sequence[Reading]], None]] = []
        self._restless: dict[str, Viewer] = {}
        """Of whom it isn't known that they have handled all that they were handed."""
        self._looks = 0
        self._window_s = 0.0
        """The shortest of all rooms' windows, as it was when they were looked at."""
        self._emissions = Emissions(transport, self._refused, spent_s)
        self._catching_up = CatchingUp(transport, history, self._due, self._go_live)

    # ---- the journal's side

    def restore(self, device: str, seq: int) -> None:
        """Know a device's newest reading from an earlier run."""
        self._numbers.reached(device, seq)

    def resume(self, after: Mapping[str, int], kept: Mapping[str, int]) -> None:
        """Know past which ``seq`` devices go on, see ``Numbers.resume``."""
        self._numbers.resume(after, kept)

    def publish(self, device: str, readings: Sequence[Reading]) -> None:
        """Send what was just committed to those who are live; ``seq`` is None where it could not be."""
        for tap in self._taps:
            tap(device, readings)
        last = readings[-1].seq
        if last is not None:
            self._numbers.reached(device, last)
        for room in self._rooms.of(device):
            if room.live:
                self._emissions.publish(room, readings)

    def together(self) -> AbstractContextManager[None]:
        """Return within what to publish for many devices, so that it goes to each viewer in few writes."""
        return self._transport.together()

    def flush(self) -> None:
        """Send what waits for company."""
        for room in self._rooms.all():
            self._emissions.flush(room)

    def look(self) -> None:
        """Let those catch up who don't handle what they are handed; call a few times a second."""
        self._window_s = 0.0 if self._taps else self._rooms.shortest_window_s()
        self._restless |= {name: self._viewers[name] for name in self._rooms.stirred()}
        at, viewers = monotonic(), [viewer for viewer in self._restless.values() if viewer.is_live]
        self._restless = {viewer.name: viewer for viewer in viewers}
        turns, parts = max(_FEW_ASKS, len(viewers) // _LOOKS_A_ROUND), 1 + len(viewers) // _MOST_CLOSELY
        self._looks += 1
        for number, viewer in enumerate(viewers, self._looks):
            turns -= self._look_at(viewer, at, in_turn=turns > 0, closely=number % parts == 0)

    def _look_at(self, viewer: Viewer, at: float, *, in_turn: bool, closely: bool) -> bool:
        """Return whether it took its turn to be asked."""
        lateness, (handed, answered) = viewer.lateness, self._transport.progress(viewer.name)
        if lateness.is_asked(answered):
            if lateness.is_long_ago(at):
                self._fall_behind(viewer, [watch for watch in viewer.watches.values() if watch.live])
            return False
        due = in_turn and lateness.is_due(at, handed, ask_every_s(len(self._viewers)))
        if (due or (closely and self._is_stuck(viewer, at))) and self._transport.ask(viewer.name):
            lateness.asked(at, handed)
        lateness.looked(handed)
        if lateness.rests(handed):
            del self._restless[viewer.name]
        return due

    def _is_stuck(self, viewer: Viewer, at: float) -> bool:
        lateness = viewer.lateness
        return lateness.is_long_ago(at) and lateness.is_stuck(self._transport.traffic(viewer.name))

    def slack_s(self) -> float:
        """Return for how long what comes now may wait where it is, and still be committed when all rooms go next."""
        return slack_s(monotonic(), self._window_s)

    # ---- the viewers' side

    def join(self, viewer: str, device: str, since: int | None, backlog: int, max_hz: float | None = None) -> int:
        """Let ``viewer`` watch ``device`` from ``since`` on, or from ``backlog`` readings ago.

        With ``max_hz`` it is sent at most so many packets a second of what comes from now on, see ``Thinned``.

        Returns the newest ``seq`` published, or past which the first one will be. What was missed follows from a
        green thread, after the caller's acknowledgement.
        """
        mine = self._viewers.get(viewer)
        if mine and device not in mine.watches and len(mine.watches) >= _MOST_DEVICES:
            raise TooManyDevices(f"at most {_MOST_DEVICES} devices a connection")
        self.leave(viewer, device)
        mine = self._viewers.setdefault(viewer, Viewer(viewer))
        newest = self._numbers.newest(device)
        position = self._numbers.ago(device, backlog) if since is None else since
        watch = Watch(viewer, device, position, interval_s(max_hz), newest)
        mine.watches[device] = mine.behind[device] = watch
        self._rooms.add(watch)
        self._recount.add(device)
        self._catching_up.follow(mine, late=False)
        return newest

    def leave(self, viewer: str, device: str) -> None:
        """Let ``viewer`` watch ``device`` no longer; harmless if it didn't."""
        mine = self._viewers.get(viewer)
        watch = mine.watches.pop(device, None) if mine else None
        if mine is None or watch is None:
            return
        mine.behind.pop(device, None)
        if not mine.watches:
            del self._viewers[viewer]
            self._restless.pop(viewer, None)
        watch.ended = True
        self._leave_room(watch)

    def _leave_room(self, watch: Watch) -> None:
        if watch.live:
            self._end_live(watch)
        self._rooms.remove(watch)
        self._recount.add(watch.device)

    def gone(self, viewer: str) -> None:
        """Forget a viewer that disconnected."""
        mine = self._viewers.get(viewer)
        for device in list(mine.watches) if mine else ():
            self.leave(viewer, device)

    def tell(self, device: str, event: str, payload: object) -> None:
        """Send an event to all who watch ``device``, live or catching up, behind what waits for company."""
        for room in self._rooms.of(device):
            self._emissions.flush(room)
        self._send_to_all(device, event, payload)

    def _send_to_all(self, device: str, event: str, payload: object) -> None:
        for viewer in [name for room in self._rooms.of(device) for name in room.watches]:
            self._transport.send(viewer, event, payload)

    def watchers(self, device: str) -> int:
        """Return how many watch ``device``."""
        return sum(len(room.watches) for room in self._rooms.of(device))

    def announce_watchers(self) -> None:
        """Send ``room_info`` where somebody came or went since the last call."""
        devices, self._recount = self._recount, set()
        until = cpu_time() + _AT_A_STRETCH_S
        for device in devices:
            self._send_to_all(device, "room_info", {"device": device, "watchers": self.watchers(device)})
            if cpu_time() > until:  # somebody joined, or left, a thousand at once
                sleep()
                until = cpu_time() + _AT_A_STRETCH_S

    def tap(self, function: Callable[[str, Sequence[Reading]], None]) -> Callable[[], None]:
        """Call ``function`` with all that is published, until the returned function is called."""
        self._taps.append(function)
        self._window_s = 0.0
        return lambda: self._taps.remove(function)

    # ---- in the room, or not

    def _due(self, watch: Watch) -> int:
        """Return up to which ``seq`` a watch that catches up is to come: where its room is, or further if it asked."""
        room, newest = self._rooms.room(watch), self._numbers.newest(watch.device)
        if not room.live:
            return newest
        return max(room.position, min(watch.asked, newest)) if watch.every_s else room.position

    def _go_live(self, watch: Watch) -> bool:
        """Let a watch that is due enter its room; False: what the room still waits for, it has already."""
        room, newest = self._rooms.room(watch), self._numbers.newest(watch.device)
        if room.live and room.position < watch.position <= newest:
            return False
        if not room.live:
            room.position = newest
        self._window_s = 0.0
        watch.live = True
        room.live += 1
        self._restless[watch.viewer] = self._viewers[watch.viewer]
        self._transport.enter(watch.viewer, room.name)
        return True

    def _end_live(self, watch: Watch) -> None:
        room = self._rooms.room(watch)
        watch.live, watch.position = False, room.position
        room.leave()
        self._transport.leave(watch.viewer, room.name)

    def _refused(self, room: Room, name: str) -> None:
        mine = self._viewers.get(name)
        if mine is not None and room.device in mine.watches:  # else it left in this very turn
            self._fall_behind(mine, [mine.watches[room.device]])

    def _fall_behind(self, viewer: Viewer, watches: Sequence[Watch]) -> None:
        """Take a viewer out of rooms; it goes on from where these are."""
        for watch in watches:
            if watch.live:
                self._end_live(watch)
                viewer.behind[watch.device] = watch
        self._catching_up.follow(viewer, late=True)
