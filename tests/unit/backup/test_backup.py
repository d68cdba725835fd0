"""What is refused, and that nothing was touched then; what a crash leaves."""

import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gateway.backup import BackupError, make, restore
from gateway.journal import Queries, examine, go_on_past
from tests.support.journals import START, entry, make_old, opened, reading


class Box:
    """A gateway's folder, with readings of ``a``."""

    def __init__(self, folder: Path, readings: int = 300) -> None:
        self.folder = folder
        self.config = folder / "gateway.toml"
        self.journal = folder / "state" / "journal.db"
        folder.mkdir()
        self.config.write_text('[gateway]\nname = "box"\n')
        self.add(readings)

    def add(self, readings: int) -> None:
        with opened(self.journal) as it:
            it.put([entry(*[reading("a", START + n) for n in range(readings)])])

    def content(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.endswith((".lock", "-shm", "-wal"))
        }

    def seqs(self) -> list[int]:
        with closing(Queries(self.journal)) as queries:
            return [one.seq for one in queries.after("a", 0, None, 10_000, 2**30)]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "box")


@pytest.fixture
def file(box: Box, tmp_path: Path) -> Path:
    target = tmp_path / "backup.tar.gz"
    make(box.config, box.journal, target)
    return target


def changed(file: Path, **members: bytes | None) -> Path:
    """Write a backup with other members: by name, with _ for a dot; None leaves one out."""
    target = file.with_name("changed.tar.gz")
    named = {name.replace("_", "."): content for name, content in members.items()}
    with tarfile.open(file) as source, tarfile.open(target, "w:gz") as archive:
        for member in source:
            content = named.pop(member.name, source.extractfile(member).read())
            if content is not None:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        for name, content in named.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target


def manifest(file: Path, **fields: object) -> bytes:
    with tarfile.open(file) as archive:
        return json.dumps(json.load(archive.extractfile("manifest.json")) | fields).encode()


def refused(file: Path, box: Box) -> str:
    before = box.content()
    with pytest.raises(BackupError) as caught:
        restore(file, box.config)
    assert box.content() == before, "nothing was touched"
    return str(caught.value)


def test_what_is_restored_is_what_was_there_and_what_was_there_is_kept(box: Box, file: Path) -> None:
    before = box.content()
    box.add(50)
    later = box.seqs()
    box.config.write_text("")
    (box.folder / "conf.d").mkdir()
    (box.folder / "conf.d" / "new.toml").write_text("")
    done = restore(file, box.config)
    assert box.config.read_bytes() == before["gateway.toml"]
    assert not list((box.folder / "conf.d").glob("*.toml"))
    assert box.seqs() == list(range(1, 301))
    assert {path.name.partition(".before-restore-")[0] for path in done.kept} == {
        "gateway.toml",
        "new.toml",
        "journal.db",
    }
    kept = next(path for path in done.kept if path.name.startswith("journal.db"))
    with closing(Queries(kept)) as queries:
        assert [one.seq for one in queries.after("a", 0, None, 1000)] == later
    names = {path.name for path in box.journal.parent.iterdir() if not path.name.endswith(("-shm", "-wal"))}
    assert names == {"journal.db", "journal.db.lock", kept.name}


def test_numbers_go_on_past_all_that_were_given_however_often_a_backup_is_restored(box: Box, file: Path) -> None:
    given: set[int] = set(range(1, 301))
    for lost in (False, False, True):
        if lost:
            box.journal.unlink()
        restore(file, box.config)
        box.add(3)
        new = set(box.seqs()) - set(range(1, 301))
        assert len(new) == 3
        assert not new & given
        given |= new


def test_what_was_in_the_log_and_what_comes_are_told_apart_by_their_numbers(box: Box, file: Path) -> None:
    past = restore(file, box.config).past["a"]
    expected = [*range(1, 301), *range(past + 1, past + 4)]
    with opened(box.journal) as it, closing(Queries(box.journal, tails=it.journal.tails)) as queries:
        it.put([entry(*[reading("a", START + 300 + n) for n in range(3)])])
        assert [one.seq for one in queries.after("a", 0, None, 1000)] == expected
        it.pack()
        found = queries.after("a", 0, None, 1000)
        assert [one.seq for one in found] == expected
        assert [one.ts for one in found] == [START + n for n in range(303)]


def test_a_clock_that_is_not_set_gives_no_number_twice(box: Box) -> None:
    assert go_on_past(box.journal, {"a": 500, "b": 7}, 1000.0) == {"": 10**9, "a": 10**9 + 500, "b": 10**9 + 7}


def test_only_the_journal(box: Box, file: Path) -> None:
    box.config.write_text("")
    assert restore(file, box.config, journal_only=True).configuration == ()
    assert box.config.read_text() == ""
    assert box.seqs() == list(range(1, 301))


def test_a_gateway_that_runs_is_left_alone(box: Box, file: Path) -> None:
    with opened(box.journal):
        assert "the gateway is running, and nothing was changed" in refused(file, box)


@pytest.mark.parametrize("end", [0, 100, 3000, -30])
def test_a_file_that_was_cut_off_is_refused(box: Box, file: Path, end: int) -> None:
    file.write_bytes(file.read_bytes()[:end])
    assert "backup.tar.gz: is " in refused(file, box)


def test_every_kind_of_damage_is_refused(box: Box, file: Path) -> None:
    data = file.read_bytes()
    content = gzip.decompress(data)
    for at in range(20, len(data) - 8, len(data) // 20):
        damaged = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
        if decompressed(damaged) != content:  # amid zeros, some bits make no difference
            file.write_bytes(damaged)
            assert "backup.tar.gz: " in refused(file, box)


def decompressed(data: bytes) -> bytes | None:
    with suppress(OSError, EOFError, zlib.error):
        return gzip.decompress(data)
    return None


def test_damage_at_the_very_end_is_refused(box: Box, file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-8] ^= 1  # of gzip's check of all that is in it
    file.write_bytes(data)
    assert "backup.tar.gz: is damaged" in refused(file, box)


def test_what_the_manifest_does_not_say_is_refused(box: Box, file: Path) -> None:
    assert "aren't what its manifest says" in refused(changed(file, gateway_toml=b"[web]"), box)
    assert "it has no manifest" in refused(changed(file, manifest_json=None), box)
    assert "aren't what its manifest says" in refused(changed(file, journal_db=None), box)
    assert "its journal isn't what" in refused(changed(file, manifest_json=manifest(file, readings=301)), box)
    assert "can't be understood" in refused(changed(file, manifest_json=b"{}"), box)
    assert "made by a newer gateway (9.0; format 2" in refused(
        changed(file, manifest_json=manifest(file, format=2, gateway="9.0")), box
    )


@pytest.mark.parametrize("name", ["../evil.toml", "/etc/evil.toml", "conf.d/../evil.toml", "conf.d/.x.toml", "evil"])
def test_no_way_out_of_its_folder(box: Box, file: Path, name: str) -> None:
    target = file.with_name("changed.tar.gz")
    with tarfile.open(file) as source, tarfile.open(target, "w:gz") as archive:
        for member in source:
            archive.addfile(member, source.extractfile(member))
        archive.addfile(tarfile.TarInfo(name))
    assert "is no backup of a gateway: it has" in refused(target, box)


def test_a_link_is_no_part_of_a_backup(box: Box, file: Path) -> None:
    target = file.with_name("changed.tar.gz")
    with tarfile.open(target, "w:gz") as archive:
        member = tarfile.TarInfo("gateway.toml")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    assert "is no backup of a gateway" in refused(target, box)


def test_a_journal_that_is_damaged_or_older_makes_no_backup(box: Box, tmp_path: Path) -> None:
    make_old(tmp_path / "old" / "journal.db")
    with pytest.raises(BackupError, match="is of an older gateway"):
        make(box.config, tmp_path / "old" / "journal.db", tmp_path / "b.tar.gz")
    box.add(3000)
    data = box.journal.read_bytes()
    box.journal.write_bytes(data[: len(data) // 2] + b"\xaa" * 2048 + data[len(data) // 2 + 2048 :])
    with pytest.raises(BackupError, match=f"journal {box.journal}: is damaged"):
        make(box.config, box.journal, tmp_path / "b.tar.gz")
    assert {path.name for path in tmp_path.iterdir()} == {"box", "old"}


def test_a_backup_is_its_owner_s_and_overwrites_only_what_it_is_told_to(box: Box, file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupError, match="is there already; --force overwrites it"):
        make(box.config, box.journal, file)
    box.add(1)
    assert make(box.config, box.journal, file, overwrite=True).readings == 301


def test_a_disk_without_room_is_told_beforehand(box: Box, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(BackupError, match="MiB are needed while it is made, 0 are free"):
        make(box.config, box.journal, tmp_path / "b.tar.gz")


# Kills itself before the n-th rename or unlink.
_RESTORING = """
import os, signal, sys
from pathlib import Path
from gateway.backup import restore

left = int(sys.argv[3])

def count(frame, event, called):
    global left
    if event == "c_call" and called.__name__ in ("rename", "unlink", "fsync") and called.__module__ == "posix":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(count)
restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_kill_9_in_a_restore_leaves_one_journal_or_the_other(tmp_path: Path) -> None:
    outcomes = set()
    for step in range(1, 30):
        box = Box(tmp_path / str(step), 20)
        file = tmp_path / f"{step}.tar.gz"
        make(box.config, box.journal, file)
        box.add(5)
        box.config.write_text("")
        command = [sys.executable, "-c", _RESTORING, str(file), str(box.config), str(step)]
        code = subprocess.run(command, timeout=60, check=False, capture_output=True).returncode
        assert code in (0, -signal.SIGKILL)
        with opened(box.journal) as it:
            assert it.opened.problem == ""
        outcomes.add(len(box.seqs()))
        if code == 0:
            break
    assert code == 0
    assert outcomes == {25, 20}


@pytest.fixture
def foreign() -> Iterator[Box]:
    """Return a box whose state belongs to another user, who may come there; pytest's folders let nobody in."""
    if os.geteuid() != 0:
        pytest.skip("only root restores for others")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        box = Box(Path(folder) / "box", 20)
        for path in (box.journal.parent, *box.journal.parent.iterdir()):
            os.chown(path, 4242, 4243)
        yield box


def owner(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o777


def test_what_is_restored_belongs_to_whom_the_folder_belongs(foreign: Box, tmp_path: Path) -> None:
    added = foreign.folder / "conf.d" / "a.toml"
    added.parent.mkdir()
    added.write_text('[profiles.a.metrics]\nt = { type = "float" }\n')
    file = tmp_path / "backup.tar.gz"
    make(foreign.config, foreign.journal, file)
    added.unlink()
    foreign.config.write_text("")
    os.chown(foreign.config, 4242, 0)
    foreign.config.chmod(0o604)
    restore(file, foreign.config)
    assert owner(foreign.journal) == (4242, 4243, 0o640)
    assert owner(foreign.config) == (4242, 0, 0o604), "as it was before"
    assert owner(added) == (0, 4243, 0o640), "new, and for the gateway's group"
    assert (os.geteuid(), os.getegid()) == (0, 0)


@pytest.mark.parametrize("name", ["journal.db.restoring", "journal.db.lock", "journal.db.ready", "journal.db"])
def test_a_link_in_the_state_folder_leads_root_to_nothing(foreign: Box, tmp_path: Path, name: str) -> None:
    make(foreign.config, foreign.journal, tmp_path / "backup.tar.gz")
    victim = foreign.folder / "victim"
    victim.write_text("root's")
    victim.chmod(0o600)
    link = foreign.journal.with_name(name)
    link.unlink(missing_ok=True)
    link.symlink_to(victim)
    with suppress(BackupError):
        restore(tmp_path / "backup.tar.gz", foreign.config)
    assert (victim.read_text(), owner(victim)) == ("root's", (0, 0, 0o600))
    assert {path.name for path in foreign.folder.iterdir()} == {"gateway.toml", "state", "victim"}


def test_the_copy_is_one_file_that_any_sqlite_opens(box: Box, file: Path, tmp_path: Path) -> None:
    with tarfile.open(file) as archive:
        archive.extract("journal.db", tmp_path / "apart", filter="data")
    path = tmp_path / "apart" / "journal.db"
    assert examine(path).readings == {"a": 300}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert [each.name for each in path.parent.iterdir()] == ["journal.db"]
