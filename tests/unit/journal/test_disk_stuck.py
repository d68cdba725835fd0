import threading

import pytest

from gateway.errors import JournalDown
from gateway.journal import GreenQueries, JournalStats, Queries
from tests.support.ports import wait_until


class Disk(Queries):
    """Answers, but not while it is stuck."""

    def __init__(self, path):
        super().__init__(path)
        self.free = threading.Event()
        self.free.set()

    def stats(self):
        assert self.free.wait(10.0)
        return JournalStats(7, 4096, 100.0)

    def reject_ids(self):
        assert self.free.wait(10.0)
        return [1]


@pytest.fixture
def disk(path, monkeypatch):
    monkeypatch.setattr("gateway.journal.green._ANSWER_S", 0.1)
    disk = Disk(path)
    yield disk
    disk.free.set()


def test_a_disk_that_does_not_answer_holds_nobody_up(disk, path):
    queries = GreenQueries(disk)
    assert queries.stats() == JournalStats(7, 4096, 100.0)
    disk.free.clear()
    problem = f"journal {path}: the disk doesn't answer"
    assert queries.stats() == JournalStats(7, 4096, 100.0, problem)
    with pytest.raises(JournalDown, match="the disk doesn't answer"):
        queries.reject_ids()
    disk.free.set()
    wait_until(lambda: not queries.stats().problem, "the thread is back from what was given up")
    assert queries.reject_ids() == [1]
