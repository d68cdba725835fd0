"""From a commit to a room: at once where that is cheap, together with what follows where it is dear.

The system's work for one write to one viewer is most of what live costs, however much is in it
(docs/decisions/0017-emissions-wait-for-company.md).
"""

from collections.abc import Callable, Sequence

from gateway.live.outside import Transport
from gateway.live.rooms import Room
from gateway.logs import Defects
from gateway.model import Reading
from gateway.runtime import monotonic, sleep, spawn


class Emissions:
    """Sends to rooms; hub thread only.

    Parameters
    ----------
    transport
        Where it goes.
    refused
        Called with a room and a viewer in it that has to catch up, from the room's position.
    spent_s
        The hub's clock of how much it has worked, in seconds.
    """

    def __init__(
        self, transport: Transport, refused: Callable[[Room, str], None], spent_s: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._refused = refused
        self._spent_s = spent_s
        self._due: dict[float, list[Room]] = {}
        self._defects = Defects(__name__)

    def publish(self, room: Room, readings: Sequence[Reading]) -> None:
        """Send ``readings`` to those who are live, now or within a moment."""
        room.waiting.add(readings)
        if room.due is None:
            self._schedule(room)
        elif room.waiting.is_full:
            self.flush(room)

    def _schedule(self, room: Room) -> None:
        at = monotonic()
        room.due = None if room.waiting.is_full else room.next_due(at)
        if room.due is None:
            self._emit(room, at)
        elif room.due in self._due:
            self._due[room.due].append(room)
        else:
            self._due[room.due] = [room]
            spawn(self._wait, room.due, at)

    def _wait(self, due: float, at: float) -> None:
        sleep(due - at)
        for room in self._due.pop(due):
            if room.due != due:  # it went for another reason
                continue
            try:
                self._emit(room, due)
            except Exception as error:  # noqa: BLE001  a defect in one room ends nothing in others
                self._defects.report("sending to a room", error)

    def flush(self, room: Room) -> None:
        """Send what waits for company."""
        if room.due is not None:
            self._emit(room, monotonic())

    def _emit(self, room: Room, at: float) -> None:
        room.due = None
        began_s = self._spent_s() if room.is_large else None  # a call of the kernel's, for nothing where few watch
        for packet in room.waiting.take():
            for viewer in self._transport.send_room(room.name, "readings", packet.payload):
                self._refused(room, viewer)
            if packet.upto is not None:
                room.position = packet.upto
        room.emitted(at, None if began_s is None else self._spent_s() - began_s)
