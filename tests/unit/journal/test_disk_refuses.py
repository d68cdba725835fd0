"""What happens while the disk takes nothing, and after."""

import subprocess
import sys
from pathlib import Path

from gateway.model import Entry, Outcome, RawMessage
from tests.support.full_disks import LARGE, full
from tests.support.journals import START, asking, entry, opened, reading
from tests.support.ports import wait_until


def test_readings_go_on_without_seq_and_the_problem_says_why(path: Path) -> None:
    with opened(path) as it, full(it):
        lost = reading("a", START, LARGE)
        it.put([entry(lost)])
        assert lost.seq is None
        assert not it.journal.writable
        assert it.journal.problem == f"journal {path}: the disk is full"
        assert it.posted.batches[-1].error == it.journal.problem


def test_writing_resumes_by_itself_and_seq_has_no_hole(path: Path) -> None:
    before, lost, after = (reading("a", START, LARGE) for _ in range(3))
    with opened(path) as it:
        it.put([entry(before)])
        with full(it):
            it.put([entry(lost)])
        wait_until(lambda: it.journal.writable, "the journal writes again")
        assert it.journal.problem == ""
        it.put([entry(after)])
        assert [one.seq for one in (before, lost, after)] == [1, None, 2]
        assert [stored.seq for stored in asking(path).after("a", 0, None, 10)] == [1, 2]


def test_the_disk_is_not_thought_well_again_before_it_is(path: Path) -> None:
    with opened(path) as it, full(it):
        it.put([entry(reading("a", START, LARGE))])
        it.journal._committer.retry()
        assert not it.journal.writable


def test_what_its_sender_keeps_waits_and_is_written_first(path: Path) -> None:
    kept = [reading("a", START, LARGE) for _ in range(3)]
    with opened(path) as it:
        with full(it):
            it.put([entry(reading("a", START, LARGE))])
            for one in kept:
                it.journal.append(entry(one, acknowledged=True, packet_id=1, digest=b"d"))
            it.put([entry(reading("a", START, LARGE))])
            wait_until(lambda: it.journal.backlog == 3, "three wait for the disk")
            assert len(it.posted.entries) == 2
            assert [waiting.readings[0] for waiting in it.posted.drain().waiting] == kept  # viewers see them meanwhile
        it.posted.wait_for(5)
        assert [one.seq for one in kept] == [1, 2, 3]
        assert it.posted.batches[-1].error == ""
        last = reading("a", START)
        it.put([entry(last)])
        assert last.seq == 4
        assert it.journal.backlog == 0


def test_a_duplicate_is_not_settled_before_the_message_that_it_repeats(path: Path) -> None:
    original = entry(reading("a", START, LARGE), acknowledged=True)
    duplicate = entry(acknowledged=True, outcome=Outcome.DUPLICATE)
    with opened(path) as it:
        with full(it):
            it.put([entry(reading("a", START, LARGE))])
            it.journal.append(original)
            it.journal.append(duplicate)
            it.put([entry()])
            assert duplicate not in it.posted.entries
        it.posted.wait_for(4)
    assert it.posted.entries[-2:] == [original, duplicate]


def test_what_has_no_readings_is_no_loss(path: Path) -> None:
    with opened(path) as it, full(it):
        it.put([entry(reading("a", START, LARGE))])
        it.put([entry(outcome=Outcome.REJECTED)])
        assert it.posted.batches[-1].error == ""


def test_an_entry_that_can_not_be_written_does_not_keep_back_what_waits_with_it(path: Path) -> None:
    waiting = [entry(reading("a", START + n), acknowledged=True) for n in range(5)]
    waiting[2].readings[0].body += b"\n"
    with opened(path) as it:
        with full(it):
            it.put([entry(reading("a", START, LARGE))])
            for one in waiting:
                it.journal.append(one)
            wait_until(lambda: it.journal.backlog == 5, "five wait for the disk")
        it.posted.wait_for(6)
    assert [one.readings[0].seq for one in waiting] == [1, 2, None, 3, 4]
    assert it.posted.entries[1:] == waiting


def test_what_the_disk_refuses_while_the_culprit_is_sought_is_kept(path: Path) -> None:
    entries = [entry(reading("a", START), acknowledged=True) for _ in range(3)]
    entries[0].readings[0].body += b"\n"
    entries[2] = entry(reading("a", START, LARGE), acknowledged=True)
    with opened(path) as it:
        it.put([entry(reading("a", START))])
        with full(it):
            with it.journal._changed:  # so that all are there before the writer looks
                it.journal._queue.extend(entries)
            wait_until(lambda: it.journal.backlog == 2, "two wait for the disk")
            assert it.posted.wait_for(2).entries[1:] == entries[:1]
        it.posted.wait_for(4)
    assert [one.readings[0].seq for one in entries] == [None, 2, 3]


def test_what_is_kept_has_a_bound(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.committer.MOST_KEPT", 5)
    with opened(path) as it:
        with full(it):
            it.put([entry(reading("a", START, LARGE))])
            for _ in range(8):
                it.journal.append(entry(reading("a", START), acknowledged=True))
            it.posted.wait_for(4)
            assert it.journal.backlog == 5
            assert "full" in it.posted.batches[-1].error
        it.posted.wait_for(9)


def test_what_is_kept_has_a_bound_in_bytes(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.waiting.MOST_BYTES", 5 * len(LARGE))
    with opened(path) as it:
        with full(it):
            it.put([entry(reading("a", START, LARGE))])
            large = [entry(reading("a", START, LARGE), acknowledged=True) for _ in range(8)]
            for one in large:
                it.journal.append(one)
            assert it.posted.wait_for(5).entries[1:] == large[4:]
            assert it.journal.backlog == 4
            assert all("the disk is full" in batch.error for batch in it.posted.batches)
        it.posted.wait_for(9)
        it.put([entry(reading("a", START, LARGE)) for _ in range(4)])
        assert it.posted.batches[-1].error == ""
        assert it.posted.entries[-1].readings[0].seq == 8


def test_what_is_kept_at_the_close_is_posted_as_lost(path: Path) -> None:
    with opened(path) as it, full(it):
        it.put([entry(reading("a", START, LARGE))])
        it.journal.append(entry(reading("a", START, LARGE), acknowledged=True))
        it.journal.close()
        it.posted.wait_for(2)
        assert "full" in it.posted.batches[-1].error


def test_a_queue_that_does_not_move_has_a_bound(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.waiting.MOST_QUEUED", 3)
    with opened(path) as it:
        it.journal._busy = True  # so that no append wakes the writer
        it.journal._changed.acquire()
        try:
            it.journal._idle = False
            for acknowledged in (False, False, False, False, True):
                it.journal.append(entry(reading("a", START), acknowledged=acknowledged))
        finally:
            it.journal._changed.release()
        it.posted.wait_for(5)
    (refused,) = [batch for batch in it.posted.batches if batch.error]
    assert refused.error.endswith("the disk is too slow")
    assert len(refused.entries) == 1


def test_a_queue_that_does_not_move_has_a_bound_in_bytes(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.waiting.MOST_BYTES", 100_000)
    with opened(path) as it:
        with it.journal._changed:  # so that the writer doesn't look
            it.journal._idle = False
            for _ in range(3):
                message = RawMessage(b"x" * 40_000, START, acknowledged=True)
                it.journal.append(Entry("bench", message, Outcome.IGNORED))
            (refused,) = it.posted.drain().batches
            assert refused.error.endswith("the disk is too slow")
        it.posted.wait_for(3)


_LIMITED = """
import resource, sys
from pathlib import Path
from tests.support.journals import START, asking, entry, opened, reading
from tests.support.ports import wait_until

path = Path(sys.argv[1])
with opened(path) as it:
    first, lost, last = (reading("a", START, "x" * 10_000) for _ in range(3))
    it.put([entry(first)])
    size = path.with_name("journal.db-wal").stat().st_size
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    it.put([entry(lost)])
    assert not it.journal.writable
    print(it.journal.problem)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    wait_until(lambda: it.journal.writable, "the journal writes again")
    it.put([entry(last)])
    print([one.seq for one in (first, lost, last)])
"""


def test_a_write_that_the_kernel_refuses_is_survived(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout.splitlines() == [f"journal {path}: the disk reports an input/output error", "[1, None, 2]"], run
