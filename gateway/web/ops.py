"""Namespace /ops, for operators: the ledger and the rejects as they happen, at most once a second."""

from typing import Any

from flask_socketio import Namespace

from gateway.chores import Chores
from gateway.errors import JournalDown
from gateway.ledger import Ledger
from gateway.rejects import Rejects
from gateway.runtime import Event, spawn
from gateway.web.sockets import Sockets

NAMESPACE = "/ops"

_EVERY_S = 1.0
_MOST_REJECTS = 20
"""In one event: a flood is not followed one by one."""
_LOOKS = 3
"""Seconds in which a repetition comes to be counted, after it was rejected."""
_MOST_UNSENT_BYTES = 512 * 1024
"""Who has more than this unread is told nothing more until it has read."""


class Ops(Namespace):  # type: ignore[misc]  # flask_socketio has no types
    """Tells; there is nothing to ask."""

    def __init__(self, sockets: Sockets, ledger: Ledger, rejects: Rejects) -> None:
        super().__init__(NAMESPACE)
        self._sockets = sockets
        self._ledger = ledger
        self._rejects = rejects
        self._told: dict[str, object] = {}
        self._known: tuple[int, int] = (0, 0)
        self._looks = 0
        self._shown: set[tuple[object, object]] = set()

    def trigger_event(self, event: str, *args: Any) -> dict[str, object] | None:
        """Greet who connects, and answer whatever is asked for."""
        if event == "connect":
            spawn(self._sockets.send, args[0], "ledger", self._books())  # from a green thread: after the CONNECT packet
        elif event != "disconnect":
            return {"ok": False, "error": {"code": "bad_request", "message": f"unknown event {event!r}"}}
        return None

    def run(self, stop: Event, chores: Chores) -> None:
        """Tell what changed, until ``stop``, whatever may fail once; a green thread's body."""
        while not stop.wait(_EVERY_S):
            chores.do("news for operators", self.tick)

    def tick(self) -> None:
        """Tell what changed since the last call; nothing is looked up where nobody listens."""
        if not self._sockets.clients():
            return
        books = self._books()
        if books != self._told:
            self._told = books
            self._tell("ledger", books)
        if self._is_to_look():
            self._tell_rejects()

    def _books(self) -> dict[str, object]:
        return {"ledger": self._ledger.total(), "sources": self._ledger.by_source()}

    def _is_to_look(self) -> bool:
        known = (self._ledger.total()["rejected"], self._rejects.replays)
        if known != self._known:
            self._known, self._looks = known, _LOOKS
        self._looks -= 1
        return self._looks >= 0

    def _tell_rejects(self) -> None:
        try:
            newest: Any = self._rejects.newest(_MOST_REJECTS)["rejects"]
        except JournalDown:  # status says so
            return
        fresh = [reject for reject in newest if _version(reject) not in self._shown]
        self._shown = {_version(reject) for reject in newest}
        if fresh:
            self._tell("rejects", {"rejects": fresh})

    def _tell(self, event: str, payload: object) -> None:
        for viewer in self._sockets.members():
            if self._sockets.unsent(viewer) <= _MOST_UNSENT_BYTES:
                self._sockets.send(viewer, event, payload)


def _version(reject: dict[str, object]) -> tuple[object, object]:
    return reject["id"], (reject["count"], reject["reason"])
