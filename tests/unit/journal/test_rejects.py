import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import Queries, rejects
from gateway.journal.drafts import MOST_PAYLOAD
from gateway.model import Entry, Outcome, RawMessage
from tests.support.full_disks import LARGE, full
from tests.support.journals import START, entry, opened, reading, settings
from tests.support.ports import wait_until

REASON = 'temperature: expected a number, got "21,4"'


def reject(payload: bytes = b"x", *, arrived: float = START, reason: str = REASON, **more: object) -> Entry:
    message = RawMessage(payload, arrived, topic=b"sensors/\xff", acknowledged=bool(more.pop("acknowledged", False)))
    return Entry("bench", message, Outcome.REJECTED, reason=reason, rule="climate", **more)


@pytest.fixture
def queries(path: Path):
    with closing(Queries(path)) as it:
        yield it


def payloads(queries: Queries) -> list[bytes]:
    return [kept.payload for kept in queries.newest_rejects(20_000)[0]]


def test_what_was_refused_is_kept_raw_with_its_reason(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        it.put([reject(b"\x00\xff")])
        (kept,), total = queries.newest_rejects(10)
    assert total == 1
    assert (kept.source, kept.topic, kept.payload, kept.size) == ("bench", b"sensors/\xff", b"\x00\xff", 2)
    assert (kept.reason, kept.rule) == (REASON, "climate")
    assert (kept.first_ts, kept.last_ts, kept.count) == (START, START, 1)
    assert (kept.truncated, kept.flawed) == (False, False)


def test_newest_first_and_by_id(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        it.put([reject(b"%d" % n, arrived=START + n) for n in range(5)])
        assert [kept.payload for kept in queries.newest_rejects(2)[0]] == [b"4", b"3"]
        ids = queries.reject_ids()
        assert [kept.id for kept in queries.rejects([ids[3], ids[1], 999])] == [ids[1], ids[3]]


def test_repetitions_are_one_row_that_counts_them(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        it.put([reject(arrived=START + n) for n in range(3)])
        it.put([reject(b"other"), reject(arrived=START + 9), reject(reason="another")])
        wait_until(lambda: queries.newest_rejects(10)[0][0].count == 4, "the count is written")
        first, *others = queries.newest_rejects(10)[0]
        assert (first.payload, first.first_ts, first.last_ts) == (b"x", START, START + 9)
        assert sorted((other.payload, other.reason, other.count) for other in others) == [
            (b"other", REASON, 1),
            (b"x", "another", 1),
        ]


def test_repetitions_are_recognised_after_a_restart(path: Path, queries: Queries) -> None:
    for _ in range(3):
        with opened(path) as it:
            it.put([reject(b"y" * 10_000), reject()])
    with opened(path):
        assert [(kept.size, kept.count) for kept in queries.rejects(queries.reject_ids())] == [(10_000, 3), (1, 3)]


def test_the_start_of_a_large_one_is_kept(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        it.put([reject(b"y" * 10_000), reject(b"y" * 9_999), reject(b"y" * MOST_PAYLOAD)])
        found = queries.rejects(queries.reject_ids())
    assert [(len(kept.payload), kept.size, kept.truncated) for kept in found] == [
        (MOST_PAYLOAD, 10_000, True),
        (MOST_PAYLOAD, 9_999, True),
        (MOST_PAYLOAD, MOST_PAYLOAD, False),
    ]


def test_rows_have_a_bound_and_the_oldest_go(path: Path, queries: Queries, monkeypatch) -> None:
    monkeypatch.setattr(rejects, "MOST_ROWS", 320)
    with opened(path) as it:
        for start in range(0, 2000, 50):
            it.put([reject(b"%d" % n, arrived=START + n) for n in range(start, start + 50)])
            assert queries.newest_rejects(1)[1] <= 320
        left = payloads(queries)
    assert 310 - 50 < len(left) <= 320
    assert left == [b"%d" % n for n in range(1999, 1999 - len(left), -1)]


def test_bytes_have_a_bound_even_in_a_small_journal(path: Path, queries: Queries) -> None:
    with opened(path, settings(max_size=2 * 2**20)) as it:
        for start in range(0, 500, 20):
            it.put([reject(b"%04d" % n * 1024, arrived=START + n) for n in range(start, start + 20)])
        left = payloads(queries)
        assert len(left) * MOST_PAYLOAD <= 2 * 2**20 // 8
        assert left[0][:4] == b"0499"
        it.put([entry(reading("a", START))])
    assert path.stat().st_size < 2**20


def test_the_bounds_hold_over_a_restart(path: Path, queries: Queries, monkeypatch) -> None:
    monkeypatch.setattr(rejects, "MOST_ROWS", 100)
    for run in range(4):
        with opened(path) as it:
            it.put([reject(b"%d %d" % (run, n)) for n in range(60)])
            assert queries.newest_rejects(1)[1] <= 100


def test_one_that_went_is_a_new_one_when_it_comes_again(path: Path, queries: Queries, monkeypatch) -> None:
    monkeypatch.setattr(rejects, "MOST_ROWS", 10)
    with opened(path) as it:
        it.put([reject(b"first")])
        it.put([reject(b"%d" % n) for n in range(20)])
        assert b"first" not in payloads(queries)
        it.put([reject(b"first")])
        assert b"first" in payloads(queries)


def test_a_replay_that_is_stored_takes_the_reject_away_in_the_same_commit(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        it.put([reject(), reject(), reject(b"other")])
        id_ = queries.reject_ids()[0]
        stored = entry(reading("a", START))
        stored.replays = id_
        it.put([stored])
        assert payloads(queries) == [b"other"]
        it.put([reject()])
        assert sorted(payloads(queries)) == [b"other", b"x"]
        it.put([entry(reading("a", START))])


def test_a_replay_that_is_refused_again_is_no_repetition(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        it.put([reject()])
        (id_,) = queries.reject_ids()
        it.put([reject(replays=id_)])
        it.put([reject(replays=id_, reason="humidity: missing")])
        (kept,), total = queries.newest_rejects(10)
        assert (total, kept.id, kept.reason, kept.count) == (1, id_, "humidity: missing", 1)
        it.put([reject(reason="humidity: missing", arrived=START + 1)])
        wait_until(lambda: queries.newest_rejects(10)[0][0].count == 2, "it is known by its new reason")


def test_a_replay_of_one_that_went_meanwhile_does_no_harm(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        it.put([reject(replays=77), reject(b"new")])
        assert payloads(queries) == [b"new"]


def test_what_came_while_the_disk_was_full_is_kept_afterwards(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        with full(it):
            it.put([entry(reading("a", START, LARGE))])
            it.put([reject(b"by nobody"), reject(b"by nobody")])
            it.journal.append(reject(b"by its sender", acknowledged=True))
            wait_until(lambda: it.journal.backlog == 1, "it waits for the disk")
        it.posted.wait_for(4)
        wait_until(lambda: len(payloads(queries)) == 2, "both are written")
        wait_until(lambda: sorted(kept.count for kept in queries.newest_rejects(9)[0]) == [1, 2], "and counted")


def test_what_waits_for_the_disk_is_bounded_and_the_newest_stay(path: Path, queries: Queries) -> None:
    with opened(path) as it:
        with full(it):
            it.put([entry(reading("a", START, LARGE))])
            it.put([reject(b"%d" % n, arrived=START + n) for n in range(2000)])
            assert len(it.journal._store.rejects.waiting) == 512
        wait_until(lambda: it.journal.writable, "the disk takes writes again")
        wait_until(lambda: payloads(queries), "they are written")
        assert payloads(queries) == [b"%d" % n for n in range(1999, 1487, -1)]


def test_a_reject_that_its_sender_keeps_is_not_settled_before_it_is_written(path: Path) -> None:
    with opened(path) as it, full(it):
        it.put([entry(reading("a", START, LARGE))])
        it.journal.append(reject(acknowledged=True))
        it.journal.close()
        it.posted.wait_for(2)
        assert "full" in it.posted.batches[-1].error


def test_a_flood_of_the_same_writes_next_to_nothing(path: Path) -> None:
    with opened(path) as it:
        it.put([reject()])
        wal = path.with_name("journal.db-wal")
        before = wal.stat().st_size
        for _ in range(50):
            it.put([reject() for _ in range(20)])
        assert wal.stat().st_size - before < 20 * 4096  # a few pages a second, not one a commit


def test_totals_are_kept(path: Path) -> None:
    with opened(path) as it:
        assert it.opened.ledger == {}
        it.journal.keep_ledger({"bench": (1, 2, 3, 4, 5), "other": (0, 0, 0, 0, 1)})
    with opened(path) as it:
        assert it.opened.ledger == {"bench": (1, 2, 3, 4, 5), "other": (0, 0, 0, 0, 1)}
        it.journal.keep_ledger({"bench": (9, 2, 3, 4, 5)})
    with opened(path) as it:
        assert it.opened.ledger == {"bench": (9, 2, 3, 4, 5), "other": (0, 0, 0, 0, 1)}


def ledger_in(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM ledger").fetchall()


def test_totals_are_written_without_readings_too_and_not_with_each(path: Path) -> None:
    with opened(path) as it:
        it.journal.keep_ledger({"bench": (1, 0, 0, 0, 0)})
        wait_until(lambda: ledger_in(path) == [("bench", 1, 0, 0, 0, 0)], "the totals are written")
        it.journal.keep_ledger({"bench": (2, 0, 0, 0, 0)})
        it.put([entry(reading("a", START))])
        assert ledger_in(path) == [("bench", 1, 0, 0, 0, 0)]
        wait_until(lambda: ledger_in(path) == [("bench", 2, 0, 0, 0, 0)], "a second later")


def test_the_profile_of_a_device_is_known_after_a_restart(path: Path) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START)), entry(reading("b", START), profile="climate")])
        it.put([entry(reading("a", START), profile="power")])
    with opened(path) as it:
        assert {known.device: known.profile for known in it.opened.devices} == {"a": "power", "b": "climate"}
        it.put([entry(reading("b", START))])
    with opened(path) as it:
        assert {known.device: known.profile for known in it.opened.devices} == {"a": "power", "b": None}


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.support.journals import START, entry, opened, reading
from tests.unit.journal.test_rejects import reject

with opened(Path(sys.argv[1])) as it:
    it.put([entry(reading("a", START)), reject(b"kept"), reject(b"kept")])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_forgets_counts_but_no_reject_that_was_posted(path: Path, queries: Queries) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(path)], timeout=60, check=False)
    with opened(path) as it:
        assert payloads(queries) == [b"kept"]
        it.put([reject(b"kept")])
        wait_until(lambda: queries.newest_rejects(1)[0][0].count == 2, "it is recognised")
