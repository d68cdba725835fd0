"""Who watches what; hub thread only."""

from collections.abc import Callable, Mapping, Sequence

from gateway.live import packets
from gateway.live.catching_up import CatchingUp
from gateway.live.outside import History, Transport
from gateway.live.watches import Room, Viewer, Watch
from gateway.model import Reading
from gateway.runtime import monotonic

_MOST_DEVICES = 1000
"""Devices that one viewer may watch."""
_LOOKS_A_ROUND = 10
"""All are asked within so many looks, and not in one: a hundred answers at once would hold the hub."""
_MOST_PACKET_BYTES = 32 * 1024
"""A commit with more of one device goes out in several packets: a part of one may have to be kept for each
viewer."""


class TooManyDevices(Exception):
    """A viewer asked for more devices than one may watch."""


class Live:
    """The way from a commit to the viewers, and from a viewer to its place."""

    def __init__(self, transport: Transport, history: History) -> None:
        self._transport = transport
        self._published: dict[str, int] = {}
        self._resume: Mapping[str, int] = {}
        self._rooms: dict[str, Room] = {}
        self._viewers: dict[str, Viewer] = {}
        self._recount: set[str] = set()
        self._taps: list[Callable[[str, Sequence[Reading]], None]] = []
        self._catching_up = CatchingUp(transport, history, self._newest, self._go_live)

    # ---- the journal's side

    def restore(self, device: str, seq: int) -> None:
        """Know a device's newest reading from an earlier run."""
        self._published[device] = seq

    def resume(self, after: Mapping[str, int]) -> None:
        """Know past which ``seq`` devices begin that are not restored, by name; ``""``: all others."""
        self._resume = after

    def publish(self, device: str, readings: Sequence[Reading]) -> None:
        """Send what was just committed to those who are live; ``seq`` is None where it could not be."""
        for tap in self._taps:
            tap(device, readings)
        room = self._rooms.get(device)
        if room is None or not room.live:
            self._note(device, readings[-1])
            return
        for part in _parts(readings):
            payload = packets.readings(device, [reading.wire() for reading in part])
            for name in self._transport.send_room(device, "readings", payload):
                self._fall_behind(name, [device])
            self._note(device, part[-1])

    def _note(self, device: str, last: Reading) -> None:
        if last.seq is not None:
            self._published[device] = last.seq

    def look(self) -> None:
        """Let those catch up who don't handle what they are handed; call a few times a second."""
        at, turns = monotonic(), max(1, len(self._viewers) // _LOOKS_A_ROUND)
        for viewer in list(self._viewers.values()):
            live = [watch.device for watch in viewer.watches.values() if watch.live]
            if live:
                turns -= self._look_at(viewer, live, at, in_turn=turns > 0)

    def _look_at(self, viewer: Viewer, live: Sequence[str], at: float, *, in_turn: bool) -> bool:
        """Return whether it took its turn to be asked."""
        lateness, traffic = viewer.lateness, self._transport.traffic(viewer.name)
        if lateness.is_late(at, traffic):
            self._fall_behind(viewer.name, live)
            return False
        due = in_turn and lateness.is_due(at, traffic)
        if (lateness.is_stuck(at, traffic) or due) and self._transport.ask(viewer.name):
            lateness.asked(at, traffic)
        return due

    # ---- the viewers' side

    def join(self, viewer: str, device: str, since: int | None, backlog: int) -> int:
        """Let ``viewer`` watch ``device`` from ``since`` on, or from ``backlog`` readings ago.

        Returns the newest ``seq`` published, or past which the first one will be. What was missed follows from a
        green thread, after the caller's acknowledgement.
        """
        mine = self._viewers.get(viewer)
        if mine and device not in mine.watches and len(mine.watches) >= _MOST_DEVICES:
            raise TooManyDevices(f"at most {_MOST_DEVICES} devices a connection")
        self.leave(viewer, device)
        mine = self._viewers.setdefault(viewer, Viewer(viewer))
        newest, begin = self._newest(device), self._begin(device)
        position = max(newest - backlog, begin if begin <= newest else 0) if since is None else since
        watch = Watch(viewer, device, position)
        mine.watches[device] = mine.behind[device] = watch
        self._rooms.setdefault(device, Room()).watches[viewer] = watch
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
        watch.ended = True
        self._leave_room(watch)

    def _leave_room(self, watch: Watch) -> None:
        room = self._rooms[watch.device]
        if watch.live:
            room.live -= 1
            self._transport.leave(watch.viewer, watch.device)
        del room.watches[watch.viewer]
        if not room.watches:
            del self._rooms[watch.device]
        self._recount.add(watch.device)

    def gone(self, viewer: str) -> None:
        """Forget a viewer that disconnected."""
        mine = self._viewers.get(viewer)
        for device in list(mine.watches) if mine else ():
            self.leave(viewer, device)

    def tell(self, device: str, event: str, payload: object) -> None:
        """Send an event to all who watch ``device``, live or catching up."""
        room = self._rooms.get(device)
        for viewer in list(room.watches) if room else ():
            self._transport.send(viewer, event, payload)

    def watchers(self, device: str) -> int:
        """Return how many watch ``device``."""
        room = self._rooms.get(device)
        return len(room.watches) if room else 0

    def announce_watchers(self) -> None:
        """Send ``room_info`` where somebody came or went since the last call."""
        devices, self._recount = self._recount, set()
        for device in devices:
            self.tell(device, "room_info", {"device": device, "watchers": self.watchers(device)})

    def tap(self, function: Callable[[str, Sequence[Reading]], None]) -> Callable[[], None]:
        """Call ``function`` with all that is published, until the returned function is called."""
        self._taps.append(function)
        return lambda: self._taps.remove(function)

    def _begin(self, device: str) -> int:
        return self._resume.get(device, self._resume.get("", 0))

    def _newest(self, device: str) -> int:
        return self._published.get(device, self._begin(device))

    # ---- in the room, or not

    def _go_live(self, watch: Watch) -> None:
        watch.live = True
        self._rooms[watch.device].live += 1
        self._transport.enter(watch.viewer, watch.device)

    def _fall_behind(self, name: str, devices: Sequence[str]) -> None:
        """Take a viewer out of rooms of which it has all that was published."""
        mine = self._viewers.get(name)
        if mine is None:  # it left in this very turn
            return
        for watch in [mine.watches[device] for device in devices if device in mine.watches]:
            if watch.live:
                watch.live, watch.position = False, self._newest(watch.device)
                self._rooms[watch.device].live -= 1
                self._transport.leave(name, watch.device)
                mine.behind[watch.device] = watch
        self._catching_up.follow(mine, late=True)


def _parts(readings: Sequence[Reading]) -> list[Sequence[Reading]]:
    """Return ``readings`` in as many parts as packets have to be."""
    size = sum([len(reading.body) for reading in readings])
    if size <= _MOST_PACKET_BYTES:
        return [readings]
    length = max(1, len(readings) * _MOST_PACKET_BYTES // size)
    return [readings[start : start + length] for start in range(0, len(readings), length)]
