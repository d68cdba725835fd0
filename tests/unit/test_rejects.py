import base64
import queue
import threading

import pytest

from gateway.journal import KeptReject
from gateway.model import Outcome
from gateway.rejects import CantReplay, NoSuchReject, Rejects, describe


def kept(id_=1, payload=b"x", **more):
    facts = {
        "first_ts": 100.0,
        "source": "broker",
        "reason": "temperature: expected a number, got nothing",
        "rule": "climate",
        "flawed": False,
        "size": len(payload),
        "truncated": False,
        "topic": b"sensors/kitchen",
        "last_ts": 200.0,
        "count": 3,
    }
    return KeptReject(id=id_, payload=payload, **(facts | more))


class History:
    """What the journal has; it loses what is stored, as the journal does with the commit."""

    def __init__(self, *rows):
        self.rows = {row.id: row for row in rows}

    def newest_rejects(self, limit):
        return sorted(self.rows.values(), key=lambda row: -row.last_ts)[:limit], len(self.rows)

    def rejects(self, ids):
        return [self.rows[id_] for id_ in ids if id_ in self.rows]

    def reject_ids(self):
        return sorted(self.rows)


class Door:
    """Ends what it takes at once: with ``outcomes`` by payload, else stored."""

    def __init__(self, history, outcomes=None):
        self.taken = []
        self._history, self._outcomes = history, outcomes or {}

    def __call__(self, source, message, reject, ended):
        self.taken.append((source, message, reject))
        outcome, reason = self._outcomes.get(message.payload, (Outcome.STORED, ""))
        if outcome is Outcome.STORED:
            del self._history.rows[reject]
        ended(outcome, reason)


def rejects(*rows, outcomes=None, sources=("broker",)):
    history = History(*rows)
    door = Door(history, outcomes)
    return Rejects(history, door, sources), door


def test_json():
    assert describe(kept(payload="21,4 °C".encode(), topic=b"sensors/\xff")) == {
        "id": 1,
        "source": "broker",
        "topic": "sensors/\\xff",
        "payload": "21,4 °C",
        "payload_base64": base64.b64encode("21,4 °C".encode()).decode(),
        "size": 8,
        "truncated": False,
        "reason": "temperature: expected a number, got nothing",
        "rule": "climate",
        "first": 100.0,
        "last": 200.0,
        "count": 3,
    }


@pytest.mark.parametrize(
    ("payload", "truncated", "text"),
    [
        (b"\xff\x00", False, None),
        (b"", False, ""),
        ("°".encode()[:1], False, None),
        (b"a" + "°".encode()[:1], True, "a"),
        (b"\xff" * 9, True, None),
    ],
)
def test_a_payload_is_text_if_it_is_utf_8_as_far_as_it_was_kept(payload, truncated, text):
    shown = describe(kept(payload=payload, truncated=truncated))
    assert shown["payload"] == text
    assert base64.b64decode(shown["payload_base64"]) == payload


def test_newest_and_total():
    found, _ = rejects(kept(1, last_ts=5.0), kept(2, last_ts=9.0), kept(3, last_ts=7.0))
    newest = found.newest(2)
    assert ([reject["id"] for reject in newest["rejects"]], newest["total"]) == ([2, 3], 3)


def test_one_that_is_not_there():
    found, _ = rejects()
    with pytest.raises(NoSuchReject, match="no reject 7"):
        found.show(7)
    with pytest.raises(NoSuchReject, match="no reject 7"):
        found.replay(7)


def test_a_replay_goes_through_the_door_as_it_came():
    found, door = rejects(kept(5, b"raw\xff"))
    assert found.replay(5) == (5, "stored", None)
    ((source, message, id_),) = door.taken
    assert (source, id_, message.payload, message.topic, message.arrived) == (
        "broker",
        5,
        b"raw\xff",
        b"sensors/kitchen",
        100.0,
    )
    assert (message.acknowledged, message.packet_id, message.retained, message.flaw) == (False, None, False, "")
    with pytest.raises(NoSuchReject):
        found.replay(5)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.IGNORED, Outcome.DROPPED])
def test_a_replay_that_is_not_stored_says_why_and_leaves_the_reject(outcome):
    found, _ = rejects(kept(), outcomes={b"x": (outcome, "humidity: missing")})
    assert found.replay(1) == (1, str(outcome), "humidity: missing")
    assert found.show(1)["id"] == 1


def test_what_was_no_message_is_none_in_a_replay():
    found, door = rejects(kept(reason="line longer than 4096 bytes", flawed=True))
    found.replay(1)
    assert door.taken[0][1].flaw == "line longer than 4096 bytes"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (kept(truncated=True, size=9000), "only the first 1 of 9000 bytes were kept"),
        (kept(source="gone"), "the source gone is configured no longer"),
    ],
)
def test_what_can_not_be_replayed_says_so(row, words):
    found, door = rejects(row)
    with pytest.raises(CantReplay, match=words):
        found.replay(1)
    assert door.taken == []


def test_all_are_replayed_oldest_first_and_summed_up():
    rows = [kept(n, b"%d" % (n % 3)) for n in range(1, 301)]
    found, door = rejects(
        *rows, kept(301, truncated=True), kept(302, source="gone"), outcomes={b"0": (Outcome.REJECTED, "no")}
    )
    assert found.replay_all() == {"replayed": 300, "stored": 200, "rejected": 100, "skipped": 2}
    assert [id_ for _, _, id_ in door.taken] == list(range(1, 301))


def test_all_ends_where_nothing_can_be_kept():
    rows = [kept(n) for n in range(1, 1001)]
    found, door = rejects(*rows, outcomes={b"x": (Outcome.DROPPED, "the disk is full")})
    sums = found.replay_all()
    assert sums["dropped"] == sums["replayed"] == len(door.taken) < 1000
    assert found.newest(1)["total"] == 1000


def test_one_that_is_being_replayed_is_not_replayed_twice():
    history = History(kept(1), kept(2))
    inside, go_on, results = threading.Event(), threading.Event(), queue.SimpleQueue()

    def slow(source, message, reject, ended):
        inside.set()
        assert go_on.wait(10.0)
        ended(Outcome.STORED, "")

    found = Rejects(history, slow, ["broker"])
    first = threading.Thread(target=lambda: results.put(found.replay(1)))
    first.start()
    assert inside.wait(10.0)
    with pytest.raises(CantReplay, match="is being replayed"):
        found.replay(1)
    go_on.set()
    first.join()
    assert results.get() == (1, "stored", None)
    assert found.replay(1).outcome == "stored"  # let go: this journal forgets nothing


def test_one_that_is_still_on_its_way_is_not_replayed_again_however_long_it_takes(monkeypatch):
    monkeypatch.setattr("gateway.rejects._ANSWER_S", 0.01)
    begun = []
    found = Rejects(History(kept(1), kept(2)), lambda *args: begun.append(args), ["broker"])
    assert found.replay(1).outcome == "in_flight"
    with pytest.raises(CantReplay, match="is being replayed"):
        found.replay(1)
    assert found.replay_all()["in_flight"] == 1
    assert found.replay_all()["replayed"] == 0
    assert [id_ for _, _, id_, _ in begun] == [1, 2]
    for _, _, _, ended in begun:
        ended(Outcome.DROPPED, "the disk is full")
    found.replay(1)
    assert [id_ for _, _, id_, _ in begun] == [1, 2, 1]


def test_one_that_could_not_even_be_begun_can_be_replayed_later():
    found, door = rejects(kept(source="later"), sources=(sources := []))
    with pytest.raises(CantReplay, match="configured no longer"):
        found.replay(1)
    sources.append("later")
    assert found.replay(1).outcome == "stored"
    assert len(door.taken) == 1
