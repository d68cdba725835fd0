import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from gateway.errors import JournalDown
from gateway.journal import Journal, schema
from gateway.journal.deliveries import DeliveryBook
from gateway.journal.loading import Loading
from gateway.journal.schema import LAYOUT, PAGE_BYTES
from gateway.journal.tails import Tails
from tests.support.journals import START, Posted, asking, changing, entry, opened, reading, settings
from tests.support.ports import wait_until


def fill(path: Path, readings: int = 2000) -> None:
    with opened(path) as it:
        it.put([entry(*[reading("a", START + n) for n in range(readings)])])


def tear_columns(path: Path) -> None:
    """Overwrite a page of the table that packed readings are in."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'columns'").fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * PAGE_BYTES : page * PAGE_BYTES] = b"\xaa" * PAGE_BYTES
    path.write_bytes(data)


def open_only(path: Path) -> None:
    journal = Journal(path, settings(), Posted())
    journal.open()
    journal.close()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"not a database at all " * 500, id="garbage"),
        pytest.param(lambda data: data[: len(data) // 2 + 100], id="truncated"),
        pytest.param(lambda data: data[:50], id="cut in the header"),
        pytest.param(lambda data: data[:8192] + b"\xaa" * (len(data) - 8192), id="overwritten pages"),
    ],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path: Path, damage) -> None:
    fill(path)
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with opened(path) as it:
        aside = next(path.parent.glob("journal.db.damaged-*Z"))
        assert aside.read_bytes() == broken
        assert aside.name in it.opened.problem
        assert "damaged" in it.opened.problem
        it.put([entry(reading("a", START))])
        assert it.journal.writable
    with opened(path) as it:
        assert it.opened.problem == ""
        assert it.opened.devices[0].last.seq > 2000  # whatever could be read of it


def test_the_log_of_a_damaged_file_goes_with_it(path: Path) -> None:
    path.parent.mkdir()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"journal.db{suffix}").write_bytes(b"rubbish" * 1000)
    with opened(path):
        names = {file.name for file in path.parent.glob("*.damaged-*")}
    assert {name.partition("Z")[2] for name in names} >= {"", "-wal"}


def test_an_empty_file_is_a_new_journal(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with opened(path) as it:
        assert it.opened.problem == ""


def test_the_file_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with changing(path) as other:
        other.execute("CREATE TABLE recipes (name)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(JournalDown, match="another program"):
        open_only(path)
    assert path.read_bytes() == before


def test_the_file_of_a_newer_gateway_is_refused_and_left_alone(path: Path) -> None:
    fill(path)
    with changing(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(JournalDown, match=rf"newer gateway \(layout 99, this one knows {LAYOUT}\)"):
        open_only(path)
    assert not list(path.parent.glob("*.damaged-*"))


def test_a_second_gateway_is_refused_until_the_first_has_closed(path: Path) -> None:
    with opened(path), pytest.raises(JournalDown, match="in use by another gateway"):
        open_only(path)
    open_only(path)


def test_a_folder_that_can_not_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(JournalDown, match=r"journal .*journal\.db: can't be opened"):
        open_only(tmp_path / "state" / "journal.db")


def test_a_folder_in_the_place_of_the_file_is_told_in_words(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalDown, match="can't be opened"):
        open_only(path)


def test_queries_of_a_missing_file_are_told_in_words(path: Path) -> None:
    with pytest.raises(JournalDown, match="can't be opened"):
        asking(path).stats()


@pytest.mark.parametrize(("durability", "level"), [("process", 1), ("power", 2)])
def test_durability_decides_whether_a_commit_waits_for_the_disk(path: Path, durability: str, level: int) -> None:
    with opened(path, settings(durability=durability)) as it:
        assert it.journal._store._connection.execute("PRAGMA synchronous").fetchone() == (level,)


def test_damage_found_in_use_lets_writing_go_on_and_is_dealt_with_at_the_next_start(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.opening._CHECKED_BYTES", 0)  # as if the file were large
    with opened(path) as it:
        it.put([entry(*[reading("a", START + n) for n in range(20_000)])])
        it.pack()
    tear_columns(path)
    after = reading("a", START)
    with opened(path, settings(retention=60.0)) as it:
        assert it.opened.problem == ""
        wait_until(lambda: "is damaged" in it.journal.problem, "retention meets the damage")
        it.put([entry(after)])
        assert it.journal.writable
    assert after.seq == 20_001
    with opened(path) as it:
        assert "newest readings of 1 devices" in it.opened.problem
        assert it.opened.devices[0].last.seq == 20_001
    with opened(path) as it:
        assert it.opened.problem == ""


def test_seq_and_ledger_go_on_after_damage_where_they_can_be_read(path: Path) -> None:
    fill(path)
    with opened(path) as it:
        it.journal.keep_ledger({"bench": (2000, 7, 0, 0, 0)})
    data = bytearray(path.read_bytes())
    data[100 * PAGE_BYTES : 101 * PAGE_BYTES] = b"\xaa" * PAGE_BYTES
    path.write_bytes(data)
    after = reading("a", START)
    with opened(path) as it:
        assert it.opened.ledger == {"bench": (2000, 7, 0, 0, 0)}
        assert "newest readings of 1 devices" in it.opened.problem
        (known,) = it.opened.devices
        assert known.last == (2000, START + 1999, reading("a", START + 1999).body)
        assert 1 < known.oldest_seq < 2000  # what came after the damage goes on
        it.put([entry(after)])
    assert after.seq == 2001
    assert len(list(path.parent.glob("journal.db.damaged-*Z"))) == 1


def test_a_start_asks_no_more_for_more_devices(path: Path) -> None:
    def statements() -> int:
        asked: list[str] = []
        with closing(schema.connect(path, "rw")) as connection:
            connection.set_trace_callback(asked.append)
            found = Loading(connection, Tails(), DeliveryBook()).read()
        assert {name: orjson.loads(newest.body)["values"]["value"] for name, newest in found.newest.items()} == devices
        return len(asked)

    devices: dict[str, float] = {}
    counts = []
    for new in ({"d0": 7.0}, {f"d{n}": float(n) for n in range(50)}):
        with opened(path) as it:
            it.put([entry(*[reading(name, START, value) for name, value in new.items()])])
        devices |= new
        counts.append(statements())
    assert counts[0] == counts[1]
