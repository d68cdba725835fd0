"""When the gateway wasn't running, or a source was away: kept, so that no hole in a chart is unexplained."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from gateway.journal import Absence, GreenQueries, go_on_past
from gateway.journal.absences import MOST, completed
from gateway.journal.copying import copy
from gateway.runtime import is_set
from tests.support.journals import START, Opening, asking, changing, entry, make_layout_5, opened, reading, settings
from tests.support.ports import wait_until

DAY = 86400.0
WEEK = 7 * DAY
UNSET = 50_000.0
"""What a clock says at the boot that nobody set, in Unix seconds."""


def away(since: float, until: float | None) -> Absence:
    return Absence("broker", "away", since, until)


def clock(since: float, until: float) -> Absence:
    return Absence("", "clock", since, until)


class Box:
    """A machine: what its clock says, and for how long it has been up."""

    def __init__(self) -> None:
        self.uptime = 40.0
        self.ahead_s = START

    def clock(self) -> float:
        return self.ahead_s + self.uptime

    def steady(self) -> float:
        return self.uptime

    def set(self, now: float) -> None:
        self.ahead_s = now - self.uptime


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Box:
    one = Box()
    monkeypatch.setattr("gateway.journal.absences.monotonic", one.steady)  # signs of life come as its time passes
    return one


@contextmanager
def running(path: Path, box: Box, retention: float = 30 * DAY) -> Iterator[Opening]:
    with opened(path, settings(retention=retention), box.clock, box.steady) as it:
        yield it


def run(path: Path, box: Box, seconds: float = 60.0) -> None:
    """Let the gateway run, and stop it."""
    with running(path, box):
        box.uptime += seconds


def found(path: Path, source: str = "", limit: int = 10_000) -> list[Absence]:
    return asking(path).absences(source, None, None, limit)


def forget_end(path: Path, seconds: float, boot: str = "other") -> None:
    """Leave the journal as a crash does: the last sign of life is older, of another boot."""
    with changing(path) as file:
        file.execute("UPDATE alive SET at = at - ?, boot = iif(boot IS NULL, NULL, ?)", (seconds, boot))
    file.close()


def test_a_fresh_journal_has_none(path: Path, box: Box) -> None:
    with running(path, box):
        assert found(path) == []


def test_a_stop_and_a_start_are_known_to_the_moment(path: Path, box: Box) -> None:
    run(path, box)
    stopped = box.clock()
    box.uptime += 600.0
    with running(path, box):
        assert found(path) == [Absence("", "stopped", stopped, stopped + 600.0)]


def test_a_restart_of_a_moment_is_none(path: Path, box: Box) -> None:
    run(path, box)
    box.uptime += 4.0
    with running(path, box):
        assert found(path) == []


def test_the_absences_of_a_source_are_those_of_the_gateway_and_its_own(path: Path, box: Box) -> None:
    run(path, box)
    box.uptime += 600.0
    back = box.clock()
    with running(path, box) as it:
        box.uptime += 300.0
        it.journal.keep_absence("broker", "away", 100.0, 40.0)
        it.journal.keep_absence("bench", "away", 50.0)
    own = [Absence("", "stopped", back - 600.0, back)]
    assert found(path) == own
    assert found(path, "broker") == [*own, Absence("broker", "away", back + 200.0, back + 260.0)]
    assert found(path, "bench") == [*own, Absence("bench", "away", back + 250.0, None)]
    assert asking(path).absences("broker", back + 261.0, None, 10) == []
    assert asking(path).absences("broker", back + 250.0, back + 251.0, 10) == found(path, "broker")[1:]
    assert found(path, "broker", limit=1) == found(path, "broker")[1:]
    assert GreenQueries(asking(path)).absences("broker", None, None, 10) == found(path, "broker")


def test_one_that_is_open_gets_its_end(path: Path, box: Box) -> None:
    began = box.clock()
    with running(path, box) as it:
        it.journal.keep_absence("broker", "away", 0.0)
        wait_for_writer(it, box)
        assert found(path, "broker") == [Absence("broker", "away", began, None)]
        box.uptime = 100.0
        it.journal.keep_absence("bench", "away", 0.0)
        it.journal.keep_absence("broker", "away", 60.0, 20.0)
        wait_for_writer(it, box)
        assert found(path, "broker") == [Absence("broker", "away", began, START + 80.0)]


def test_what_is_told_is_written_soon(path: Path, tmp_path: Path) -> None:
    with opened(path, settings(), time.time, time.monotonic) as it:
        for n, end in enumerate((None, 0.0)):
            it.journal.keep_absence("broker", "away", 60.0, end)
            wait_until(lambda n=n: [bool(one.until) for one in found(path, "broker")] == [bool(n)], "it is written")


def test_who_asks_gets_what_is_not_written_yet(path: Path, box: Box) -> None:
    """It was announced before: whoever got what is no longer true would not hear of it again."""
    began = box.clock()
    with running(path, box) as it:
        asked = partial(GreenQueries(asking(path), it.journal.told_absences).absences, "broker")
        it.journal.keep_absence("broker", "away", 0.0)
        for _ in range(2):  # told, and written
            assert asked(None, None, 10) == [Absence("broker", "away", began, None)]
            wait_for_writer(it, box)
        box.uptime += 100.0
        wait_for_writer(it, box)
        at = box.clock()
        it.journal.keep_absence("broker", "away", 100.5, 50.0)
        it.journal.keep_absence("bench", "away", 20.0)
        it.journal.keep_absence("broker", "away", 10.0)
        assert found(path, "broker") == [Absence("broker", "away", began, None)]
        first, second = Absence("broker", "away", began, at - 50.0), Absence("broker", "away", at - 10.0, None)
        for _ in range(2):
            assert asked(None, None, 10) == [first, second]
            assert asked(None, None, 1) == [second]
            assert asked(None, at - 20.0, 10) == [first]
            assert asked(at - 20.0, None, 10) == [second]
            wait_for_writer(it, box)
        assert found(path, "broker") == [first, second]


def test_what_is_written_while_somebody_asks_is_there_once(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.journal.keep_absence("broker", "away", 60.0)
        it.journal.keep_absence("broker", "away", 60.0, 30.0)
        it.journal.keep_absence("", "clock", 20.0, 0.0)
        it.journal.keep_absence("broker", "away", 10.0)
        told = it.journal.told_absences()
        wait_for_writer(it, box)
        assert len(told) == 4
        assert GreenQueries(asking(path), lambda: told).absences("broker", None, None, 10) == found(path, "broker")
        assert len(found(path, "broker")) == 3


@pytest.mark.parametrize(
    ("kept", "told", "expected"),
    [
        ([away(200, None)], [away(100, 106), away(200, None)], [away(100, 106), away(200, None)]),
        ([away(100, 106)], [away(100, 106), away(200, None)], [away(100, 106), away(200, None)]),
        ([away(100, None)], [away(100.1, 106), away(200, None)], [away(100, 106), away(200, None)]),
        ([Absence("", "stopped", 100, 110)], [clock(100, 120)], [Absence("", "stopped", 100, 110), clock(100, 120)]),
        ([away(100, None)], [away(100, 104)], []),
        ([away(100, None)], [away(150, 90)], [away(100, None)]),  # the clock was set back meanwhile
    ],
)
def test_what_waits_goes_to_where_it_belongs(kept: list[Absence], told: list[Absence], expected: list[Absence]) -> None:
    assert completed(kept, told) == expected


def test_the_writer_may_write_while_somebody_looks_what_waits(
    path: Path, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(path, box) as it:
        told = [it.journal.keep_absence(f"source-{n}", "away", 10.0) for n in range(3)]
        waiting = it.journal._housekeeping.absences._told

        def and_it_is_written(absence: Absence) -> bool:
            waiting.clear()
            return is_set(absence.since)

        monkeypatch.setattr("gateway.journal.absences._is_dated", and_it_is_written)
        assert it.journal.told_absences() == told


def test_nobody_is_told_what_a_clock_says_that_is_not_set(path: Path, box: Box) -> None:
    box.set(UNSET)
    with running(path, box) as it:
        assert it.journal.keep_absence("broker", "away", 10.0) is None
        assert it.journal.told_absences() == []


def test_what_comes_while_too_many_are_written_is_not_lost(
    path: Path, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(path, box) as it:
        book = it.journal._housekeeping.absences
        for n in range(1000):
            it.journal.keep_absence(f"source-{n}", "away", 10.0)
        write = book._sign

        def and_more_come(connection: sqlite3.Connection) -> None:
            write(connection)
            monkeypatch.setattr(book, "_sign", write)
            it.journal.keep_absence("late", "away", 10.0)

        monkeypatch.setattr(book, "_sign", and_more_come)
        box.uptime += 1.0
        wait_until(lambda: len(book.told) == 1, "the first are written")
        wait_for_writer(it, box)
        assert [one.source for one in found(path, "late")] == ["late"]


def test_what_was_open_as_the_gateway_stopped_ends_there(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.journal.keep_absence("gone", "away", 0.0)
        box.uptime += 50.0
    stopped = box.clock()
    box.uptime += 600.0
    with running(path, box):
        away = Absence("gone", "away", stopped - 50.0, stopped)
        assert found(path, "gone") == [away, Absence("", "stopped", stopped, stopped + 600.0)]


def test_after_a_crash_it_begins_with_the_last_sign_of_life(path: Path, box: Box) -> None:
    run(path, box)
    forget_end(path, 8.0)
    stopped = box.clock()
    box.uptime += 600.0
    with running(path, box):
        assert found(path) == [Absence("", "stopped", stopped - 8.0, stopped + 600.0)]


def test_after_a_crash_the_newest_reading_is_a_sign_of_life(path: Path, box: Box) -> None:
    with running(path, box) as it:
        box.uptime += 60.0
        it.put([entry(reading("a", START + 97.0), arrived=START + 97.0)])
    forget_end(path, 8.0)
    with running(path, box):
        pass
    box.uptime += 600.0
    forget_end(path, 8.0)
    with running(path, box):
        assert [absence.since for absence in found(path)] == [START + 97.001]


def test_so_it_is_where_the_clock_is_not_set_at_the_next_boot(path: Path, box: Box) -> None:
    with running(path, box) as it:
        box.uptime += 60.0
        it.put([entry(reading("a", START + 97.0), arrived=START + 97.0)])
    forget_end(path, 8.0)
    box.uptime, box.ahead_s = 20.0, UNSET
    with running(path, box) as it:
        box.set(START + 700.0)
        wait_for_writer(it, box)
        assert [absence.since for absence in found(path)] == [START + 97.001]


def test_an_arrival_by_a_clock_that_was_ahead_is_no_sign_of_life(path: Path, box: Box) -> None:
    with running(path, box) as it:
        box.uptime += 60.0
        it.put([entry(reading("a", START + 9000.0), arrived=START + 9000.0)])
    box.uptime += 600.0
    with running(path, box):
        assert [absence.since for absence in found(path)] == [START + 100.0]


def test_a_clock_that_was_set_back_meanwhile_makes_no_absence(path: Path, box: Box) -> None:
    run(path, box)
    box.set(START - 3600.0)
    with running(path, box):
        assert found(path) == []


def test_a_clock_that_went_back_at_the_boot_leaps_over_no_readings_of_before(path: Path, box: Box) -> None:
    run(path, box)
    stopped = box.clock()
    box.set(stopped - 2000.0)  # what was kept of the clock some time before the crash
    with running(path, box) as it:
        box.set(stopped + 600.0)
        told = it.journal.keep_absence("", "clock", 2600.0, 0.0)
        assert told == Absence("", "clock", stopped, stopped + 600.0)
        wait_for_writer(it, box)
        assert found(path) == [told]
        box.set(stopped + 9000.0)
        assert it.journal.keep_absence("", "clock", 100.0, 0.0).since == stopped + 8900.0


def test_of_a_clock_that_is_not_set_yet_the_end_is_put_right_later(path: Path, box: Box) -> None:
    run(path, box)
    stopped = box.clock()
    box.uptime, box.ahead_s = 20.0, UNSET  # booted again, in 1970
    with running(path, box) as it:
        box.uptime = 50.0
        assert it.journal.keep_absence("broker", "away", 12.0, 5.0) is None
        wait_for_writer(it, box)
        assert found(path, "broker") == []
        now = stopped + 600.0
        box.set(now)
        wait_for_writer(it, box)
        booted = now - 50.0
        right = [
            Absence("", "stopped", stopped, booted + 20.0),
            Absence("broker", "away", booted + 38.0, booted + 45.0),
        ]
        assert found(path, "broker") == right


def test_one_that_is_put_right_and_short_goes(path: Path, box: Box) -> None:
    run(path, box)
    stopped = box.clock()
    box.uptime, box.ahead_s = 20.0, UNSET
    with running(path, box) as it:
        box.set(stopped + 1.0)
        wait_for_writer(it, box)
        assert rows(path) == 0


def test_within_one_boot_the_clock_need_not_be_set(path: Path, box: Box) -> None:
    box.ahead_s = UNSET
    run(path, box)
    stopped = box.uptime
    box.uptime += 30.0
    with running(path, box) as it:
        assert found(path) == []
        box.set(START)
        wait_for_writer(it, box)
        booted = START - stopped - 30.0
        right = [Absence("", "stopped", booted + stopped, booted + stopped + 30.0)]
        assert found(path) == right


@pytest.mark.parametrize("boots", [1, 2])
def test_what_began_before_boots_whose_clock_was_never_set_ends_after_them(path: Path, box: Box, boots: int) -> None:
    run(path, box)
    stopped = box.clock()
    for _ in range(boots):
        in_a_boot_without_a_clock(path, box)
    box.uptime = 500.0
    box.set(START + 900.0)
    with running(path, box):
        assert found(path, "broker") == [Absence("", "stopped", stopped, START + 900.0)]
        assert rows(path) == 1


def test_of_another_boot_whose_clock_was_never_set_nothing_is_said(path: Path, box: Box) -> None:
    in_a_boot_without_a_clock(path, box)
    box.uptime = 500.0
    box.set(START + 900.0)
    with running(path, box):
        assert rows(path) == 0
        assert found(path, "broker") == []


def in_a_boot_without_a_clock(path: Path, box: Box) -> None:
    """Run, lose a source, and end as a power cut does."""
    box.uptime, box.ahead_s = 20.0, UNSET
    with running(path, box) as it:
        it.journal.keep_absence("broker", "away", 0.0)
    with changing(path) as file:
        file.execute("UPDATE absences SET boot = 'other' WHERE boot IS NOT NULL")
    file.close()
    forget_end(path, 0.0)


def test_they_go_with_the_readings(path: Path, box: Box) -> None:
    with running(path, box, retention=WEEK) as it:
        it.journal.keep_absence("broker", "away", 30.0, 0.0)
        box.uptime += 6 * DAY
    with running(path, box, retention=WEEK):
        assert len(found(path, "broker")) == 1
        box.uptime += 2 * DAY
    with running(path, box, retention=WEEK):
        assert found(path, "broker") == []


def test_a_shorter_retention_holds_at_once(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.journal.keep_absence("broker", "away", 30.0, 0.0)
        box.uptime += 2 * DAY
    with running(path, box) as it:
        assert len(found(path, "broker")) == 1
        it.journal.limit(settings(retention=DAY))
        box.uptime += 10.0
        wait_for_writer(it, box)
        assert found(path, "broker") == []


def test_only_the_newest_are_kept(path: Path, box: Box) -> None:
    run(path, box)
    with changing(path) as file:
        many = [(f"s{n}", START + n, START + n + 6.0) for n in range(MOST + 50)]
        file.executemany("INSERT INTO absences (source, reason, since, until) VALUES (?, 'away', ?, ?)", many)
    file.close()
    with running(path, box):
        assert rows(path) == MOST
        assert (found(path, "s49"), len(found(path, "s50"))) == ([], 1)


def test_a_journal_from_before_there_were_absences_gets_them(path: Path, box: Box) -> None:
    run(path, box)
    with changing(path) as file:
        file.execute("DROP TABLE absences")
        file.execute("DROP TABLE alive")
    file.close()
    assert found(path) == []
    run(path, box)
    stopped = box.clock()
    box.uptime += 60.0
    with running(path, box):
        assert found(path) == [Absence("", "stopped", stopped, stopped + 60.0)]


def test_so_does_an_older_layout(path: Path, box: Box) -> None:
    make_layout_5(path)
    run(path, box)
    stopped = box.clock()
    box.uptime += 60.0
    with running(path, box):
        assert found(path) == [Absence("", "stopped", stopped, stopped + 60.0)]


def test_what_an_older_gateway_took_in_meanwhile_ends_its_absence(path: Path, box: Box) -> None:
    run(path, box)
    alive = sign(path)
    with running(path, box) as it:
        box.uptime += 3000.0  # less than after which the log is packed
        it.put([entry(reading("a", box.clock()), arrived=box.clock())])
    with changing(path) as file:
        file.execute("UPDATE alive SET at = ?", (alive,))
    file.close()
    box.uptime += 60.0
    with running(path, box):
        assert found(path) == [Absence("", "stopped", box.clock() - 59.999, box.clock())]


def test_a_damaged_journal_takes_them_along(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([entry(reading("a", START + n)) for n in range(2000)])
        it.journal.keep_absence("broker", "away", 30.0, 0.0)
    before = found(path, "broker")
    assert before
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 2048)
    stopped = box.clock()
    box.uptime += 60.0
    with running(path, box) as it:
        assert it.opened.problem
        assert found(path, "broker") == [*before, Absence("", "stopped", stopped, stopped + 60.0)]


def test_a_restored_backup_says_that_what_came_then_is_not_in_it(path: Path, box: Box, tmp_path: Path) -> None:
    run(path, box)
    taken = box.clock()
    backup = tmp_path / "copy.db"
    copy(path, backup, lambda: None)
    go_on_past(backup, {}, box.clock())
    box.uptime += 3600.0
    run(backup, box)
    box.uptime += 60.0
    with running(backup, box):
        restored = Absence("", "restored", taken, taken + 3600.0)
        assert found(backup) == [restored, Absence("", "stopped", box.clock() - 60.0, box.clock())]


def test_the_writer_gives_signs_of_life_and_nothing_else_while_all_is_quiet(path: Path, box: Box) -> None:
    with running(path, box) as it:
        store = it.journal._store
        writings, writing = [], store.writing
        store.writing = lambda: (writings.append(box.uptime), writing())[1]
        for _ in range(30):
            box.uptime += 1.0
            wait_for_writer(it, box)
        assert writings == [50.0, 60.0, 70.0]
        assert sign(path) == START + 70.0


KILLED = """
import sys, time
from pathlib import Path
from gateway.journal import Journal
from gateway.settings import JournalSettings
journal = Journal(Path(sys.argv[1]), JournalSettings(), lambda _: None)
journal.open()
journal.keep_absence("broker", "away", 100.0)
print("open", flush=True)
time.sleep(60)
"""


def test_a_killed_gateway_leaves_what_it_noted(path: Path, box: Box) -> None:
    began = time.time()
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"open\n"
        wait_until(lambda: found(path, "broker"), "it is noted")
        process.send_signal(signal.SIGKILL)
    ended = time.time()
    box.set(ended + 600.0)
    with running(path, box):
        away, own = found(path, "broker")
    assert began - 100.0 <= away.since <= ended - 100.0
    assert away.until == own.since
    assert began <= own.since <= ended
    assert own.until == pytest.approx(ended + 600.0)


def sign(path: Path) -> float:
    with changing(path) as file:
        (at,) = file.execute("SELECT at FROM alive").fetchone()
    file.close()
    return at


def rows(path: Path) -> int:
    with changing(path) as file:
        (count,) = file.execute("SELECT count(*) FROM absences").fetchone()
    file.close()
    return count


def wait_for_writer(it: Opening, box: Box) -> None:
    """Wait until the writer has done all that is due now."""
    book = it.journal._housekeeping.absences
    box.uptime = max(box.uptime, book._looked_at + 1.0)

    def has_looked() -> bool:
        with it.journal._changed:
            it.journal._changed.notify()
        return book._looked_at == box.uptime and not book._told

    wait_until(has_looked, "the writer has looked")
    assert not it.journal.problem
