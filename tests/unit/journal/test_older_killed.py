"""kill -9 at any step of taking an older gateway's journal over."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import Queries
from tests.support.journals import make_old, opened

# Kills itself before the n-th thing that it does to a file; prints how many there were if it comes to the end.
_OPENING = """
import os, signal, sys
from pathlib import Path
from gateway.journal import Journal
from tests.support.journals import START, Posted, settings

TOUCHING = {"connect", "execute", "executemany", "executescript", "rename", "unlink", "fsync", "open", "close"}
journal = Journal(Path(sys.argv[1]), settings(), Posted(), lambda: START)
last, done = int(sys.argv[2]), 0

def count(frame, event, called):
    global done
    if event != "c_call" or called.__name__ not in TOUCHING:
        return
    if "/journal/" in frame.f_code.co_filename or called.__module__ == "posix":
        done += 1
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(count)
journal.open()
sys.setprofile(None)
journal.close()
print(done)
"""


def _open_killed(path: Path, step: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _OPENING, str(path), str(step)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def steps(tmp_path: Path) -> int:
    """How many there are."""
    make_old(tmp_path / "other" / "journal.db")
    done = _open_killed(tmp_path / "other" / "journal.db", 0)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_journal_is_the_old_one_or_the_new_one_and_whole(tmp_path: Path, steps: int) -> None:
    assert steps > 60
    kept = 0
    for step in range(1, steps + 1, max(1, steps // 8)):
        path = tmp_path / str(step) / "journal.db"
        make_old(path)
        assert _open_killed(path, step).returncode == -signal.SIGKILL
        with opened(path) as it, closing(Queries(path)) as queries:
            assert it.opened.problem == ""
            assert {known.device: known.last.seq for known in it.opened.devices} == {"küche": 300, "attic": 1}
            assert [one.seq for one in queries.after("küche", 0, None, 1000)] == list(range(1, 301))
            assert it.opened.ledger == {"broker": (301, 2, 0, 0, 0)}
        assert path.with_name("journal.db.layout-4").exists(), "the old one is kept"
        kept += bool(it.opened.note)
    assert 0 < kept < steps, "some were killed before the exchange, and some after it"
