"""Viewers: live in a device's room, or catching up from the journal; never a hole without a name.

A viewer has a position for each device: the last ``seq`` it was sent. Live, it is in the room and
gets what is published. Catching up, it is not: a green thread reads the journal from its position,
as fast as this client takes it, and no further than what has been published; when it has reached
that, it enters the room in the same turn of the hub, so nothing can come between.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from gateway.errors import JournalDown
from gateway.journal import Stored
from gateway.model import Reading, wire
from gateway.runtime import sleep, spawn

log = logging.getLogger(__name__)

MOST_UNSENT_BYTES = 64 * 1024
"""A live viewer with more than this unsent leaves the room and catches up at its own pace."""
_REFILL_BYTES = 16 * 1024
"""One that catches up is sent more when less than this is unsent."""
_PART = 100
"""Readings a packet while catching up."""
_POLL_S = 0.02
_MOST_DEVICES = 1000
"""Devices that one viewer may watch."""


class Transport(Protocol):
    """What live needs of Socket.IO."""

    def send(self, viewer: str, event: str, payload: object) -> None:
        """Send one event to one viewer."""

    def send_room(self, device: str, event: str, payload: object) -> None:
        """Send one event to the room of a device."""

    def enter(self, viewer: str, device: str) -> None:
        """Put a viewer into the room of a device."""

    def leave(self, viewer: str, device: str) -> None:
        """Take a viewer out of it."""

    def unsent(self, viewer: str) -> int:
        """Return the bytes that wait for this viewer to read."""


class History(Protocol):
    """What live needs of the journal: ``Queries.after``, called off the hub."""

    def after(self, device: str, after: int, upto: int | None, limit: int) -> list[Stored]:
        """Return readings with ``after < seq <= upto`` in order; raises JournalDown."""


class TooManyDevices(Exception):
    """A viewer asked for more devices than one may watch."""


@dataclass(slots=True, eq=False)
class _Watch:
    viewer: str
    device: str
    position: int
    live: bool = False
    ended: bool = False


class Live:
    """Who watches what; hub thread only."""

    def __init__(self, transport: Transport, history: History) -> None:
        self._transport = transport
        self._history = history
        self._published: dict[str, int] = {}
        self._resume: Mapping[str, int] = {}
        self._rooms: dict[str, dict[str, _Watch]] = {}
        self._viewers: dict[str, dict[str, _Watch]] = {}
        self._recount: set[str] = set()
        self._taps: list[Callable[[str, Sequence[Reading]], None]] = []

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
        before = self._newest(device)
        newest = readings[-1].seq
        if newest is not None:
            self._published[device] = newest
        room = self._rooms.get(device)
        if room and self._keep_only_fast(room, before):
            self._transport.send_room(device, "readings", _packet(device, [r.wire() for r in readings]))

    def _keep_only_fast(self, room: dict[str, _Watch], before: int) -> bool:
        live = [watch for watch in room.values() if watch.live]
        for watch in live:
            if self._transport.unsent(watch.viewer) > MOST_UNSENT_BYTES:
                self._transport.leave(watch.viewer, watch.device)
                watch.live, watch.position = False, before
                spawn(self._catch_up, watch)
        return any(watch.live for watch in live)

    # ---- the viewers' side

    def join(self, viewer: str, device: str, since: int | None, backlog: int) -> int:
        """Let ``viewer`` watch ``device`` from ``since`` on, or from ``backlog`` readings ago.

        Returns the newest ``seq`` published, or past which the first one will be. What was missed follows from a
        green thread, after the caller's acknowledgement.
        """
        mine = self._viewers.setdefault(viewer, {})
        if device not in mine and len(mine) >= _MOST_DEVICES:
            raise TooManyDevices(f"at most {_MOST_DEVICES} devices a connection")
        self.leave(viewer, device)
        newest = self._newest(device)
        begin = self._begin(device)
        position = max(newest - backlog, begin if begin <= newest else 0) if since is None else since
        watch = _Watch(viewer, device, position)
        self._viewers.setdefault(viewer, {})[device] = watch
        self._rooms.setdefault(device, {})[viewer] = watch
        self._recount.add(device)
        spawn(self._catch_up, watch)
        return newest

    def leave(self, viewer: str, device: str) -> None:
        """Let ``viewer`` watch ``device`` no longer; harmless if it didn't."""
        watch = self._viewers.get(viewer, {}).pop(device, None)
        if watch is None:
            return
        watch.ended = True
        if watch.live:
            self._transport.leave(viewer, device)
        room = self._rooms[device]
        del room[viewer]
        if not room:
            del self._rooms[device]
        self._recount.add(device)

    def gone(self, viewer: str) -> None:
        """Forget a viewer that disconnected."""
        for device in list(self._viewers.get(viewer, ())):
            self.leave(viewer, device)
        self._viewers.pop(viewer, None)

    def tell(self, device: str, event: str, payload: object) -> None:
        """Send an event to all who watch ``device``, live or catching up."""
        for viewer in list(self._rooms.get(device, ())):
            self._transport.send(viewer, event, payload)

    def watchers(self, device: str) -> int:
        """Return how many watch ``device``."""
        return len(self._rooms.get(device, ()))

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

    # ---- catching up

    def _catch_up(self, watch: _Watch) -> None:
        while not watch.ended:
            published = self._newest(watch.device)
            if watch.position >= published:
                self._go_live(watch)
                return
            if self._transport.unsent(watch.viewer) > _REFILL_BYTES:
                sleep(_POLL_S)
                continue
            try:
                part = self._history.after(watch.device, watch.position, published, _PART)
            except JournalDown as error:
                log.warning("%s can't be shown its history: %s", watch.device, error)
                part = []
            if not watch.ended:
                self._send_part(watch, part, published)

    def _go_live(self, watch: _Watch) -> None:
        watch.live = True
        self._transport.enter(watch.viewer, watch.device)

    def _send_part(self, watch: _Watch, part: Sequence[Stored], published: int) -> None:
        first = part[0].seq if part else published + 1
        if first > watch.position + 1:
            gap = {"device": watch.device, "from": watch.position + 1, "to": first - 1, "reason": "expired"}
            self._transport.send(watch.viewer, "gap", gap)
        watch.position = published
        if part:
            packet = _packet(watch.device, [wire(stored.seq, stored.body) for stored in part])
            self._transport.send(watch.viewer, "readings", packet)
            watch.position = part[-1].seq


def _packet(device: str, readings: Sequence[bytes]) -> orjson.Fragment:
    """Return the payload of ``readings``: stored bytes joined, nothing encoded again."""
    return orjson.Fragment(b'{"device":%s,"readings":[%s]}' % (orjson.dumps(device), b",".join(readings)))
