"""Commands that read the journal, of a user who may read the configuration and not look into the state folder."""

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model import Reading, encode_body
from tests.support.journals import START, entry, opened

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
REASON = "may not be accessed by this user"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, which lies in a folder that others may not enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "gateway.toml").touch()
        with opened(folder / "state" / "journal.db") as journal:
            journal.put([entry(Reading("attic", START, {"t": 1.5}, encode_body(START, {"t": 1.5})), arrived=START)])
        (folder / "state").chmod(0o750)
        yield folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.support.stranger", "65534", "65534"]
    command = [*program, "--config", str(folder / "gateway.toml"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [["export"], ["backup", "b.tar.gz"]])
def test_who_may_not_look_is_told_so(folder: Path, arguments: list[str]) -> None:
    done = run(folder, *arguments[:1], *(str(folder / name) for name in arguments[1:]))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Error: " in done.stderr
    assert f"{folder}/state/journal.db" in done.stderr


def test_a_bundle_is_made_all_the_same(folder: Path) -> None:
    done = run(folder, "bundle", str(folder / "b.tar.gz"))
    assert done.returncode == 0, done.stderr
    with tarfile.open(folder / "b.tar.gz") as archive:
        assert REASON.encode() in archive.extractfile("bundle/journal.json").read()
