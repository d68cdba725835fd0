"""What becomes of messages when the writer's thread ends though nobody asked it to."""

from pathlib import Path
from typing import NoReturn

from gateway.journal.records import Committed
from gateway.model import Entry
from tests.support.full_disks import LARGE, full
from tests.support.journals import START, Opening, entry, opened, reading


def out_of_memory(*_: object) -> NoReturn:
    raise MemoryError


def let_die_with_queued(it: Opening, *entries: Entry) -> None:
    """End the writer in a turn without work, just after these came."""

    def step() -> NoReturn:
        for one in entries:
            it.journal.append(one)
        raise MemoryError

    it.journal._housekeeping.retention.step = step


def only_batch(it: Opening) -> Committed:
    (batch,) = it.posted.batches
    return batch


def test_what_is_queued_comes_back_as_not_written(path: Path) -> None:
    queued = [entry(reading("a", START), acknowledged=acknowledged) for acknowledged in (True, False)]
    with opened(path) as it:
        let_die_with_queued(it, *queued)
        it.posted.wait_for(2)
        assert only_batch(it).entries == queued
        assert "MemoryError" in only_batch(it).error
        assert not it.journal.writable
        assert it.journal.problem == only_batch(it).error
        assert it.journal.backlog == 0


def test_what_is_in_hand_comes_back_as_not_written(path: Path, monkeypatch) -> None:
    lost = entry(reading("a", START, LARGE))
    with opened(path) as it, full(it):
        monkeypatch.setattr(it.journal._store.rejects, "keep_waiting", out_of_memory)
        it.put([lost])
        assert only_batch(it).entries == [lost]
        assert "the disk is full" in only_batch(it).error
        assert "MemoryError" in it.journal.problem


def test_what_comes_while_it_ends_comes_back_too(path: Path, monkeypatch) -> None:
    late = entry(reading("a", START), acknowledged=True)
    with opened(path) as it:
        it.journal.close()
        stopped = it.journal._stopped
        it.journal._stopped = ""  # as the hub saw it just before

        def boot_of(_: Entry) -> None:
            it.journal._stopped = stopped

        monkeypatch.setattr(it.journal, "_boot_of", boot_of)
        monkeypatch.setattr("gateway.journal.writer.is_set", lambda _: False)
        it.put([late])
        assert only_batch(it).error == stopped


def test_the_file_is_let_go_whatever_fails_at_the_end(path: Path, monkeypatch) -> None:
    with opened(path) as it:
        monkeypatch.setattr(it.journal._housekeeping.retention, "keep_age", out_of_memory)
    with opened(path) as it:
        assert it.opened.problem == ""
