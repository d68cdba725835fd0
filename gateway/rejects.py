"""Messages that were refused: listed, shown, and taken in again once what refused them is mended."""

import codecs
from base64 import b64encode
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from gateway.errors import GatewayError
from gateway.journal import KeptReject
from gateway.model import Outcome, RawMessage
from gateway.runtime import Event

_ANSWER_S = 10.0
"""How long a replay waits for its commit."""
_TOGETHER = 100
"""Messages that are replayed at a time, when all are."""


class NoSuchReject(GatewayError):
    """There is none with this number, or no longer."""


class CantReplay(GatewayError):
    """A reject that can't be taken in again; the message says why."""


class History(Protocol):
    """What is needed of the journal; this green thread waits, the hub goes on. All raise JournalDown."""

    def newest_rejects(self, limit: int) -> tuple[list[KeptReject], int]:
        """Return those that came last, newest first, and how many there are."""

    def rejects(self, ids: Sequence[int]) -> list[KeptReject]:
        """Return these, as far as they are there."""

    def reject_ids(self) -> list[int]:
        """Return which there are, oldest first."""


class Door(Protocol):
    """The way in, as ``Pipeline.replay``."""

    def __call__(self, source: str, message: RawMessage, reject: int, ended: Callable[[Outcome, str], None], /) -> None:
        """Take a message in again; ``ended`` is called once with what became of it."""


class Replayed(NamedTuple):
    """What became of a reject that was taken in again; the shape of docs/contract.md."""

    id: int
    outcome: str
    """An ``Outcome``, or ``in_flight`` if it has none yet."""
    reason: str | None


class Rejects:
    """All of them, of all sources; hub thread only.

    Parameters
    ----------
    history
        Where they are kept.
    door
        Takes a message in again.
    sources
        Which are configured.
    """

    def __init__(self, history: History, door: Door, sources: Container[str]) -> None:
        self.replays = 0
        """How many have ended: a list from before is out of date."""
        self._history = history
        self._door = door
        self._sources = sources
        self._running: set[int] = set()
        self._under_way: set[int] = set()

    def newest(self, limit: int) -> dict[str, object]:
        """Return ``{"rejects": [REJECT…], "total": N}``, newest first."""
        found, total = self._history.newest_rejects(limit)
        return {"rejects": [describe(kept) for kept in found], "total": total}

    def show(self, id_: int) -> dict[str, object]:
        """Return REJECT; raises ``NoSuchReject``."""
        return describe(self._get(id_))

    def replay(self, id_: int) -> Replayed:
        """Take one in again, and wait for what becomes of it.

        Raises
        ------
        NoSuchReject
            It has gone.
        CantReplay
            Not all of it was kept, its source is configured no longer, or it is being replayed.
        """
        if id_ in self._running:
            raise CantReplay(f"reject {id_} is being replayed")
        with self._claim([id_]):
            kept = self._get(id_)
            if obstacle := self._obstacle(kept):
                raise CantReplay(obstacle)
            begun = self._begin(kept)
        return begun.wait()

    def replay_all(self) -> dict[str, int]:
        """Take all in again, oldest first; return how many were, and what became of them.

        Ends early when what passes can't be kept. ``skipped``: those that can't be replayed.
        """
        sums = {"replayed": 0, "stored": 0, "rejected": 0, "skipped": 0}
        ids = self._history.reject_ids()
        for start in range(0, len(ids), _TOGETHER):
            outcomes = self._replay_together(ids[start : start + _TOGETHER])
            for outcome in outcomes:
                sums[outcome] = sums.get(outcome, 0) + 1
            sums["replayed"] += sum(outcome != "skipped" for outcome in outcomes)
            if Outcome.DROPPED in outcomes or "in_flight" in outcomes:
                break
        return sums

    def _replay_together(self, ids: Sequence[int]) -> list[str]:
        free = [id_ for id_ in ids if id_ not in self._running]
        with self._claim(free):
            found = self._history.rejects(free)
            able = [kept for kept in found if not self._obstacle(kept)]
            begun = [self._begin(kept) for kept in able]
        return [replay.wait().outcome for replay in begun] + ["skipped"] * (len(found) - len(able))

    def _get(self, id_: int) -> KeptReject:
        found = self._history.rejects([id_])
        if not found:
            raise NoSuchReject(f"there is no reject {id_}, or no longer")
        return found[0]

    def _obstacle(self, kept: KeptReject) -> str:
        if kept.truncated:
            return f"only the first {len(kept.payload)} of {kept.size} bytes were kept, so it can't be replayed"
        if kept.source not in self._sources:
            return f"the source {kept.source} is configured no longer, so it can't be replayed"
        return ""

    @contextmanager
    def _claim(self, ids: Sequence[int]) -> Iterator[None]:
        """Let nobody else replay these: from before they are read, for a message must not be stored twice.

        What is on its way by then stays claimed until it has ended, whether or not anybody still waits for it.
        """
        self._running.update(ids)
        try:
            yield
        finally:
            self._running.difference_update(set(ids) - self._under_way)

    def _begin(self, kept: KeptReject) -> "_Replay":
        replay = _Replay(kept.id, self._release)
        flaw = kept.reason if kept.flawed else ""
        message = RawMessage(kept.payload, kept.first_ts, topic=kept.topic, flaw=flaw)
        self.replays += 1
        self._door(kept.source, message, kept.id, replay.ended)
        if not replay.has_ended:
            self._under_way.add(kept.id)
        return replay

    def _release(self, id_: int) -> None:
        self._running.discard(id_)
        self._under_way.discard(id_)


class _Replay:
    """One on its way."""

    def __init__(self, id_: int, release: Callable[[int], None]) -> None:
        self._id = id_
        self._release = release
        self._done = Event()
        self._result = Replayed(id_, "in_flight", "the journal has not answered yet")

    @property
    def has_ended(self) -> bool:
        return self._done.is_set()

    def ended(self, outcome: Outcome, reason: str) -> None:
        self._release(self._id)
        self._result = Replayed(self._id, outcome, reason or None)
        self._done.set()

    def wait(self) -> Replayed:
        self._done.wait(_ANSWER_S)
        return self._result


def describe(kept: KeptReject) -> dict[str, object]:
    """Return REJECT of docs/contract.md."""
    return {
        "id": kept.id,
        "source": kept.source,
        "topic": kept.topic.decode(errors="backslashreplace"),
        "payload": _text(kept),
        "payload_base64": b64encode(kept.payload).decode(),
        "size": kept.size,
        "truncated": kept.truncated,
        "reason": kept.reason,
        "rule": kept.rule,
        "first": kept.first_ts,
        "last": kept.last_ts,
        "count": kept.count,
    }


def _text(kept: KeptReject) -> str | None:
    try:  # a character that the cut went through is no reason to call the rest no text
        return codecs.getincrementaldecoder("utf-8")().decode(kept.payload, final=not kept.truncated)
    except UnicodeDecodeError:
        return None
