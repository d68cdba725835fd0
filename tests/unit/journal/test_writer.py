import threading
from pathlib import Path

from gateway.journal import Committed, Journal
from gateway.model import Outcome
from tests.support.journals import START, Posted, asking, entry, opened, reading, settings
from tests.support.ports import wait_until


def test_seq_starts_at_1_a_device_and_is_consecutive(path: Path) -> None:
    with opened(path) as it:
        sent = [reading(device, START + n) for n in range(50) for device in ("a", "b", "c")]
        it.put([entry(one) for one in sent])
    for device in ("a", "b", "c"):
        assert [one.seq for one in sent if one.device == device] == list(range(1, 51))


def test_seq_goes_on_after_a_restart(path: Path) -> None:
    first, second = reading("a", START), reading("a", START + 1)
    with opened(path) as it:
        it.put([entry(first)])
    with opened(path) as it:
        it.put([entry(second)])
    assert (first.seq, second.seq) == (1, 2)


def test_what_was_known_is_known_after_a_restart(path: Path) -> None:
    sent = [reading("küche", START + n, n) for n in range(3)]
    with opened(path) as it:
        assert it.opened.devices == []
        it.put([entry(*sent, source="broker")])
    with opened(path) as it:
        (known,) = it.opened.devices
    assert (known.device, known.source, known.oldest_seq) == ("küche", "broker", 1)
    assert known.last == (3, START + 2, sent[-1].body)


def test_a_device_that_moved_to_another_source_is_known_by_the_new_one(path: Path) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START), source="old")])
        it.put([entry(reading("a", START), source="new")])
    with opened(path) as it:
        assert [known.source for known in it.opened.devices] == ["new"]


def test_everything_is_posted_in_order_whatever_its_outcome(path: Path) -> None:
    kinds = (Outcome.STORED, Outcome.REJECTED, Outcome.IGNORED, Outcome.DUPLICATE)
    entries = [entry(*[reading("a", START)] * (n % 4 == 0), outcome=kinds[n % 4]) for n in range(2000)]
    with opened(path) as it:
        it.put(entries)
        assert all(map(lambda left, right: left is right, it.posted.entries, entries))
        assert not any(batch.error for batch in it.posted.batches)


def test_what_writes_nothing_makes_no_commit(path: Path) -> None:
    with opened(path) as it:
        before = path.with_name("journal.db-wal").stat().st_size
        it.put([entry(outcome=Outcome.IGNORED) for _ in range(10)])
        assert path.with_name("journal.db-wal").stat().st_size == before


def test_a_single_entry_is_committed_alone_and_at_once(path: Path) -> None:
    with opened(path) as it:
        for n in range(5):
            it.put([entry(reading("a", START + n))])
    assert [len(batch.entries) for batch in it.posted.batches] == [1] * 5


def test_what_comes_during_a_commit_shares_the_next_one(path: Path) -> None:
    busy, release = threading.Event(), threading.Event()
    posted = Posted()

    def post(committed: Committed) -> None:
        busy.set()
        assert release.wait(20)
        posted(committed)

    journal = Journal(path, settings(), post)
    journal.open()
    journal.append(entry(reading("a", START)))
    assert busy.wait(20)
    for n in range(300):
        journal.append(entry(reading("a", START + n)))
    release.set()
    posted.wait_for(301)
    journal.close()
    assert [len(batch.entries) for batch in posted.batches] == [1, 300]


def test_a_commit_has_a_bound(path: Path) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START + n)) for n in range(5000)])
    assert max(len(batch.entries) for batch in it.posted.batches) <= 1000


def test_what_is_posted_can_be_queried(path: Path) -> None:
    with opened(path) as it:
        sent = reading("a", START)
        it.put([entry(sent)])
        assert asking(path).after("a", 0, None, 10) == [(1, START, sent.body)]


def test_close_commits_what_was_appended(path: Path) -> None:
    with opened(path) as it:
        for n in range(3000):
            it.journal.append(entry(reading("a", START + n)))
    assert len(it.posted.entries) == 3000
    with opened(path) as it:
        assert it.opened.devices[0].last.seq == 3000


def test_close_leaves_one_file_and_may_be_called_twice(path: Path) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START))])
        it.journal.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["journal.db", "journal.db.lock"]


def test_close_says_whether_it_came_to_the_end(path: Path) -> None:
    release = threading.Event()
    journal = Journal(path, settings(), lambda _: release.wait(20))
    journal.open()
    journal.append(entry(reading("a", START)))
    assert not journal.close(within_s=0.1)
    release.set()
    wait_until(journal.close, "it is closed")


def test_an_entry_after_the_close_comes_back_with_the_reason(path: Path) -> None:
    with opened(path) as it:
        it.journal.close()
        it.put([entry(reading("a", START))])
    (batch,) = it.posted.batches
    assert batch.error.endswith("is closed")
    assert batch.entries[0].readings[0].seq is None


def test_deliveries_are_written_with_their_readings_and_loaded(path: Path) -> None:
    with opened(path) as it:
        it.put(
            [
                entry(reading("a", START), packet_id=7, digest=b"one", source="broker"),
                entry(reading("a", START), packet_id=8, digest=None),
                entry(packet_id=9, digest=b"two", source="other", outcome=Outcome.REJECTED),
            ]
        )
    with opened(path) as it:
        assert it.opened.deliveries == [("broker", 7, b"one"), ("other", 9, b"two")]


def test_the_last_deliveries_of_each_source_stay_packed_or_not(path: Path) -> None:
    with opened(path) as it:
        it.put([entry(packet_id=1, digest=b"rare", source="rare")])
        it.put([entry(packet_id=n, digest=b"often", source="often") for n in range(5000)])
        it.pack()
        it.put([entry(reading("a", START), packet_id=n, digest=b"often", source="often") for n in range(5000, 6000)])
    for _ in range(2):
        with opened(path) as it:
            ids = [packet_id for source, packet_id, _ in it.opened.deliveries if source == "often"]
            assert ids == list(range(6000 - 4096, 6000))
            assert ("rare", 1, b"rare") in it.opened.deliveries
            it.pack()


def test_an_entry_that_can_not_be_written_disturbs_no_other(path: Path) -> None:
    broken = reading("a", START)
    broken.body += b"\n"  # intake lets none through
    good = reading("a", START)
    with opened(path) as it:
        it.put([entry(broken, acknowledged=True)])
        it.put([entry(good)])
        assert it.journal.writable
    assert "a body has a line end" in it.posted.batches[0].error
    assert (broken.seq, good.seq) == (None, 1)


def test_only_the_entry_that_can_not_be_written_falls_out_of_its_commit(path: Path) -> None:
    entries = [entry(reading("a", START + n), acknowledged=True) for n in range(1000)]
    broken = [0, 333, 334, 999]
    for n in broken:
        entries[n].readings[0].body += b"\n"
    with opened(path) as it:
        writes, write = [], it.journal._store.write
        it.journal._store.write = lambda part: (writes.append(len(part)), write(part))
        with it.journal._changed:  # so that all are there before the writer looks
            for one in entries:
                it.journal._queue.append(one)
        it.posted.wait_for(1000)
        assert it.journal.writable
    assert it.posted.entries == entries
    assert [n for n, one in enumerate(entries) if one.readings[0].seq is None] == broken
    assert [one.readings[0].seq for n, one in enumerate(entries) if n not in broken] == list(range(1, 997))
    refused = [batch for batch in it.posted.batches if batch.error]
    assert [batch.entries for batch in refused] == [[entries[n]] for n in broken]
    assert max(writes) == 1000
    assert len(writes) < 150
