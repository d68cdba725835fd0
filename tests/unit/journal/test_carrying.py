"""A torn page costs what lay on it: the other blocks of a damaged journal go on in the new one."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import Queries, carrying, schema
from gateway.journal.carrying import carry_blocks
from gateway.journal.schema import PAGE_BYTES
from tests.support.journals import START, entry, opened, reading
from tests.unit.journal.test_rescue import MARGIN, tear

DEVICES = ("attic", "cellar")
PACKED, READINGS = 5000, 5050


def fill(path: Path) -> None:
    with opened(path) as it:
        entries = [entry(*[reading(device, START + n, n * n) for device in DEVICES]) for n in range(READINGS)]
        it.put(entries[:PACKED])
        it.pack()
        for one in entries[
            PACKED:
        ]:  # a commit each: a torn page takes a row of the log, which holds many of one commit
            it.put([one])


def seqs(path: Path, device: str) -> list[int]:
    with closing(Queries(path)) as queries:
        found = queries.after(device, 0, None, 10**6, 2**30)
        assert [one.body for one in found] == [reading(device, one.ts, int(one.ts - START) ** 2).body for one in found]
        return [one.seq for one in found]


def root_of(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return page - 1


def leaves(path: Path, table: str) -> list[int]:
    """Return the pages below a table's root."""
    content = path.read_bytes()
    at = root_of(path, table) * PAGE_BYTES
    page = content[at : at + PAGE_BYTES]
    assert page[0] == 5  # an interior page of a table
    cells = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(int.from_bytes(page[3:5], "big"))]
    return [int.from_bytes(page[cell : cell + 4], "big") - 1 for cell in cells]


def test_other_blocks_and_the_log_go_on_and_what_is_lost_is_named(path: Path) -> None:
    fill(path)
    page = leaves(path, "columns")[1]
    tear(path, page)
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
        lost = [tuple(map(int, ends)) for ends in re.findall(r"readings (\d+) to (\d+) of", it.opened.problem)]
        new = [reading(device, START + READINGS, READINGS**2) for device in DEVICES]
        it.put([entry(*new)])
        assert [one.seq for one in new] == [READINGS + 1] * 2
    assert lost
    missing = sum(last - first + 1 for first, last in lost)
    assert 0 < missing < 2 * PACKED / 2
    found = {device: seqs(path, device) for device in DEVICES}
    assert sum(map(len, found.values())) == 2 * (READINGS + 1) - missing
    for ends in lost:
        assert any(set(range(ends[0], ends[1] + 1)).isdisjoint(each) for each in found.values())
    with closing(Queries(path)) as queries:
        assert queries.stats().readings == 2 * (READINGS + 1) - missing


def test_what_comes_later_is_packed_and_old_readings_go_as_ever(path: Path) -> None:
    fill(path)
    tear(path, leaves(path, "columns")[-1])
    with opened(path) as it:
        it.put([entry(*[reading(device, START + n, n * n) for device in DEVICES]) for n in range(READINGS, 5200)])
        it.pack()
        assert all(found[-1] == 5200 for found in (seqs(path, device) for device in DEVICES))
        assert it.journal.problem == ""
    with opened(path) as it:
        assert it.opened.problem == ""
        assert {known.last.seq for known in it.opened.devices} == {5200}


def test_blocks_on_both_sides_of_a_torn_page_go_on(path: Path) -> None:
    fill(path)
    tear(path, leaves(path, "blocks")[1])
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
    kept = sum(len(seqs(path, device)) for device in DEVICES)
    assert 2 * READINGS - 5 * 1024 <= kept < 2 * READINGS  # a page has no more heads


@pytest.mark.parametrize("table", ["blocks", "columns"])
def test_where_all_blocks_are_lost_the_log_goes_on(path: Path, table: str) -> None:
    fill(path)
    tear(path, root_of(path, table))
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
        for device in DEVICES:
            assert seqs(path, device) == list(range(PACKED + 1, READINGS + 1))
        it.put([entry(*[reading(device, START + READINGS, READINGS**2) for device in DEVICES])])
        it.pack()
        assert seqs(path, "attic") == list(range(PACKED + 1, READINGS + 2))


def test_where_the_log_is_torn_its_blocks_go_on_and_numbers_are_skipped(path: Path) -> None:
    fill(path)
    content = path.read_bytes()
    tear(path, content.index(reading("attic", START + 5049, 5049**2).body) // PAGE_BYTES)
    with opened(path) as it:
        assert "seq goes on far behind" in it.opened.problem
        for device in DEVICES:
            *packed, newest = seqs(path, device)
            assert packed == list(range(1, PACKED + 1))
            assert newest > MARGIN + PACKED
        with closing(Queries(path)) as queries:
            assert queries.stats().readings == 2 * (PACKED + 1)


def test_what_the_new_file_refuses_is_named(path: Path, tmp_path: Path) -> None:
    fill(path)
    with closing(schema.connect(tmp_path / "new.db", "rwc")) as new:
        schema.create(new)
        (pages,) = new.execute("PRAGMA page_count").fetchone()
        new.execute(f"PRAGMA max_page_count = {pages + 4}")  # then it is full
        assert carry_blocks(path, new, {1: "attic", 2: "cellar"}) == [("attic", 1, PACKED), ("cellar", 1, PACKED)]


def test_what_is_refused_for_a_while_is_named_and_the_rest_goes_on(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "_AT_ONCE", 2)
    fill(path)
    with closing(schema.connect(tmp_path / "new.db", "rwc")) as new:
        schema.create(new)
        new.execute(
            "CREATE TRIGGER refusal BEFORE INSERT ON blocks WHEN NEW.id = 3 BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        lost = carry_blocks(path, new, {1: "attic", 2: "cellar"})
        kept = new.execute("SELECT device, last - first + 1 FROM blocks").fetchall()
    assert lost
    assert sum(last - first + 1 for _, first, last in lost) + sum(count for _, count in kept) == 2 * PACKED


def test_to_see_what_is_lost_takes_no_longer_for_more_devices(tmp_path: Path) -> None:
    def steps(devices: int) -> int:
        path, taken = tmp_path / f"{devices}.db", []
        names = [f"device {n}" for n in range(devices)]
        with opened(path) as it:
            it.put([entry(*[reading(name, START) for name in names])])
            it.pack()
            it.put([entry(*[reading(name, START + n) for name in names]) for n in range(2000 // devices)])
        with closing(sqlite3.connect(path)) as connection:
            connection.set_progress_handler(lambda: taken.append(1), 100)  # type: ignore[func-returns-value]
            assert carrying._before_the_log(connection) == []
        return len(taken)

    assert steps(200) < 3 * steps(20)
