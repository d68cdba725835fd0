"""A disk that lets the journal be read and not written, at the start; tests/chaos has real ones."""

import os
import sqlite3
from pathlib import Path

import pytest

from gateway.errors import JournalDown
from gateway.journal import Queries
from gateway.journal.faults import words
from tests.support.journals import START, entry, opened, reading
from tests.support.ports import wait_until


@pytest.fixture
def read_only(monkeypatch):
    """Let files seem to be on a read-only disk."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)


def test_what_is_there_is_loaded_and_writing_begins_once_the_disk_lets_it(path: Path, monkeypatch) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START))])
    with monkeypatch.context() as until_now:
        until_now.setattr(os, "access", lambda path, mode: False)
        until_now.setattr("gateway.journal.store.Store.probe", _refuse)
        with opened(path) as it:
            assert it.opened.refused == f"journal {path}: is read-only"
            assert [known.last.seq for known in it.opened.devices] == [1]
            assert not it.journal.writable
            kept = entry(reading("a", START), acknowledged=True, packet_id=1, digest=b"d")
            it.journal.append(kept)
            wait_until(lambda: it.posted.drain().waiting == [kept], "viewers see it meanwhile")
            until_now.undo()
            it.posted.wait_for(1)
            assert it.journal.writable
            assert kept.readings[0].seq == 2


def _refuse(_store) -> None:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY
    raise error


def test_a_journal_whose_log_can_not_be_made_is_loaded_too(path: Path, monkeypatch) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START))])
    assert not path.with_name("journal.db-wal").exists()
    monkeypatch.setattr("gateway.journal.opening._load", _refuse_to_load)
    with opened(path) as it:
        assert it.opened.refused.startswith(f"journal {path}: ")
        assert [known.last.seq for known in it.opened.devices] == [1]


def _refuse_to_load(*_) -> None:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    raise error


def test_without_a_journal_there_is_nothing_to_go_on_with(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.opening._load", _refuse_to_load)
    with pytest.raises(JournalDown, match="can't be opened"), opened(path):
        pass


def test_the_words_name_the_cause_and_not_its_consequence(path: Path, read_only) -> None:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    assert words(path, error).endswith("can't be opened")
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert words(path, error).endswith("is read-only")


def test_queries_let_the_file_go_while_the_writer_waits_for_the_disk(path: Path) -> None:
    keeps_open = True
    with opened(path) as it:
        it.put([entry(reading("a", START))])
        queries = Queries(path, lambda: keeps_open)
        queries.stats()
        assert queries._connection is not None
        keeps_open = False
        assert queries.stats().readings == 1
        assert queries._connection is None
