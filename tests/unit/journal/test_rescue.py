"""What goes on after a journal was damaged, wherever that was."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import Queries
from gateway.journal.rescue import MARGIN
from gateway.model import Entry, Outcome, RawMessage, Reading
from tests.support.journals import START, asking, entry, make_old, opened, reading

PAGE = 512
DEVICES = ("attic", "cellar", "kitchen")
READINGS = 300


def said(device: str, n: int) -> Reading:
    return reading(device, START + n, f"{device} {n}")


def fill(path: Path, *more: Entry, packed: int = 0, apart: bool = True) -> None:
    """Give each device ``READINGS`` readings, of which some are packed, and the others come in a commit each."""
    with opened(path) as it:
        it.put([entry(*[said(device, n) for device in DEVICES], profile="climate") for n in range(packed)])
        if packed:
            it.pack()
        entries = [entry(*[said(device, n) for device in DEVICES], profile="climate") for n in range(packed, READINGS)]
        for some in [[one] for one in entries] if apart else [entries]:
            it.put(some)
        it.put(more)


def tear(path: Path, *pages: int, bytes_: bytes = b"\xaa") -> None:
    """Overwrite pages, counted from 0."""
    data = bytearray(path.read_bytes())
    for page in pages:
        data[page * PAGE : (page + 1) * PAGE] = bytes_ * PAGE
    path.write_bytes(data)


def pages_with(path: Path, text: bytes) -> list[int]:
    data = path.read_bytes()
    return [page for page in range(len(data) // PAGE) if text in data[page * PAGE : (page + 1) * PAGE]]


def page_of(path: Path, device: str, n: int) -> int:
    """Return which page has a reading."""
    (page,) = pages_with(path, said(device, n).body)
    return page


def next_seq(path: Path, device: str) -> int:
    new = reading(device, START + 5000)
    with opened(path) as it:
        it.put([entry(new)])
    assert new.seq is not None
    return new.seq


def reject(payload: bytes = b"x") -> Entry:
    return Entry("bench", RawMessage(payload, START), Outcome.REJECTED, reason="no number", rule="climate")


@pytest.mark.parametrize(("packed", "apart"), [(0, True), (0, False), (200, True), (200, False), (READINGS, False)])
@pytest.mark.parametrize("bytes_", [b"\xaa", b"\0"])
def test_no_number_is_given_twice_whatever_page_is_torn(path: Path, bytes_: bytes, packed: int, apart: bool) -> None:
    fill(path, packed=packed, apart=apart)
    whole = path.read_bytes()
    pages = range(len(whole) // PAGE)
    for page in [*pages[:40], *pages[40:-20:5], *pages[-20:]]:  # most are of the log, one like the other
        path.write_bytes(whole)
        tear(path, page, bytes_=bytes_)
        new = [reading(device, START + 5000) for device in (*DEVICES, "new")]
        with opened(path) as it:
            it.put([entry(*new)])
            assert it.journal.writable
        assert all(one.seq > READINGS for one in new[:-1]), page


def test_where_the_end_of_the_log_is_torn_numbers_are_skipped(path: Path) -> None:
    fill(path)
    tear(path, page_of(path, "cellar", READINGS - 1))
    with opened(path) as it:
        assert "seq goes on far behind" in it.opened.problem
        for known in it.opened.devices:
            assert known.last.seq == known.oldest_seq
            best = known.last.seq - MARGIN - 1
            assert READINGS - 10 < best < READINGS
            assert known.last[1:] == (START + best, said(known.device, best).body)
        seq = it.opened.devices[0].last.seq
    assert next_seq(path, "attic") == seq + 1
    assert asking(path).stats().readings == 4


def test_what_is_before_a_torn_page_of_the_log_is_not_needed_for_that(path: Path) -> None:
    fill(path)
    tear(path, page_of(path, "cellar", 200))
    with opened(path) as it:
        assert "seq goes on far behind" not in it.opened.problem
        assert {known.last.seq for known in it.opened.devices} == {READINGS}
    assert next_seq(path, "cellar") == READINGS + 1


def test_blocks_say_how_far_it_had_come_where_the_log_is_lost(path: Path) -> None:
    fill(path, packed=200)
    tear(path, *[page for n in range(200, READINGS) for page in pages_with(path, said("attic", n).body)])
    with opened(path) as it:
        assert [known.last.seq for known in it.opened.devices] == [200 + MARGIN] * 3
        assert it.opened.devices[0].last.body == said(it.opened.devices[0].device, 199).body


def test_one_of_which_no_reading_is_left_begins_behind_a_margin(path: Path) -> None:
    fill(path, packed=200)
    tear(path, *pages_with(path, b'"ts":17672'))
    with opened(path) as it:
        assert it.opened.devices == []
        assert it.opened.resume == dict.fromkeys(DEVICES, MARGIN)
    assert next_seq(path, "cellar") == MARGIN + 1
    assert next_seq(path, "cellar") == MARGIN + 2
    assert next_seq(path, "unheard of") == 1


def test_where_names_are_lost_every_new_one_begins_behind_a_margin(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'devices'").fetchone()
    tear(path, root - 1)
    assert next_seq(path, "cellar") == MARGIN + 1
    assert next_seq(path, "attic") == MARGIN + 1


def test_one_that_was_cut_off_is_read_as_far_as_it_goes(path: Path) -> None:
    fill(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - PAGE])
    with opened(path) as it:
        assert {known.device for known in it.opened.devices} == set(DEVICES)


def test_nothing_is_given_twice_after_the_second_and_third_damage_either(path: Path) -> None:
    fill(path)
    given = [READINGS]
    for _ in range(3):
        path.write_bytes(b"not a database at all " * 500)
        given += [next_seq(path, "attic"), next_seq(path, "attic")]
    assert given == sorted(set(given))


def test_books_profiles_and_deliveries_go_on(path: Path) -> None:
    delivered = entry(reading("attic", START), source="broker", packet_id=7, digest=b"12345678")
    fill(path, delivered, reject(), reject(), reject(b"y"))
    with closing(Queries(path)) as queries:
        before = queries.newest_rejects(10)
    tear(path, page_of(path, "cellar", 100))
    with opened(path) as it:
        assert "set aside" not in it.opened.problem
        assert it.opened.deliveries == [("broker", 7, b"12345678")]
        assert {known.profile for known in it.opened.devices if known.device != "attic"} == {"climate"}
        with closing(Queries(path)) as queries:
            assert queries.newest_rejects(10) == before
        it.put([reject(b"y")])
    with closing(Queries(path)) as queries:
        assert sorted(kept.count for kept in queries.newest_rejects(10)[0]) == [2, 2]


def test_a_delivery_whose_reading_may_be_lost_is_taken_again(path: Path) -> None:
    fill(path, entry(reading("attic", START), source="broker", packet_id=7, digest=b"12345678"))
    tear(path, page_of(path, "cellar", READINGS - 1))
    with opened(path) as it:
        assert it.opened.deliveries == []


def test_rows_on_both_sides_of_a_torn_page_go_on(path: Path) -> None:
    fill(path, *[reject(b"%03d" % n + b"x" * 500) for n in range(100)])
    tear(path, pages_with(path, b"050xxx")[0])
    with opened(path), closing(Queries(path)) as queries:
        ids = queries.reject_ids()
    assert ids[0] == 1
    assert ids[-1] == 100
    assert 80 < len(ids) < 100


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log SET bodies = 'null' || char(10) || 'null' || char(10) || 'null' WHERE bodies LIKE '% 299%'",
        "UPDATE log SET bodies = replace(bodies, '\"}}', '') WHERE bodies LIKE '% 299%'",
        "UPDATE log SET heads = replace(heads, '300', '9007199254740993') WHERE bodies LIKE '% 299%'",
        'UPDATE log SET bodies = replace(bodies, \'"ts":\', \'"ts":"abc","as":\') WHERE bodies LIKE \'% 299%\'',
        "UPDATE log SET bodies = 'null' WHERE bodies LIKE '% 299%'",
        "UPDATE log SET heads = '[1,300' WHERE bodies LIKE '% 299%'",
        "UPDATE blocks SET last = 301",
    ],
)
def test_what_can_be_read_and_makes_no_sense_is_not_believed(path: Path, change: str) -> None:
    fill(path, packed=200)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(change).rowcount
        connection.commit()
    tear(path, page_of(path, "attic", 220))
    with opened(path) as it:
        assert [known.last.seq // MARGIN for known in it.opened.devices] == [1, 1, 1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log SET deliveries = CAST(replace(CAST(deliveries AS TEXT), 'bench', x'62656EE368') AS BLOB)",
        "UPDATE log SET deliveries = x'00000001620000000300000001'",
        "UPDATE devices SET name = CAST(x'FF61' AS TEXT) WHERE name = 'cellar'",
        "UPDATE blocks SET newest = replace(newest, '{', '[')",
        "UPDATE blocks SET newest = replace(newest, '\"ts\"', '\"to\"')",
    ],
)
def test_what_sqlite_takes_for_whole_and_makes_no_sense_ends_no_start(path: Path, change: str) -> None:
    fill(path, entry(said("attic", READINGS), packet_id=7, digest=b"12345678"), packed=200)
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(change).rowcount
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
    with opened(path) as it:
        assert it.opened.problem == ""
    assert next_seq(path, "attic") > READINGS + 1


def test_where_the_new_file_is_damaged_too_it_begins_without_blocks(path: Path, monkeypatch) -> None:
    fill(path, packed=200)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE blocks SET newest = '[]'")
    monkeypatch.setattr("gateway.journal.carrying._is_sound", lambda *_: True)
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
        assert {known.last.seq for known in it.opened.devices} == {READINGS}
    assert next_seq(path, "attic") == READINGS + 1


@pytest.mark.parametrize("layout", [1, 2, 3, 4])
def test_an_older_gateways_journal_is_rescued_too(path: Path, layout: int) -> None:
    make_old(path, layout)
    data = path.read_bytes()
    at = data.index(b'"temperature":21.29') // 4096 * 4096
    path.write_bytes(data[:at] + b"\xaa" * 4096 + data[at + 4096 :])
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
    assert next_seq(path, "attic") == 2
    assert next_seq(path, "küche") > 300
