"""What Linux says of this machine; what is asked of it for real is in tests/integration/test_doctor.py."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.doctor.mounts import mount_of
from gateway.machine import User, called, holders, listeners, lock_holder
from gateway.machine.processes import Process

OWNER = User("owner", 4_000_001, frozenset((4_000_001,)))
FELLOW = User("fellow", 4_000_002, frozenset((4_000_002, 4_000_009)))
OTHER = User("other", 4_000_003, frozenset((4_000_003,)))
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files away")


@root_only
@pytest.mark.parametrize(
    ("mode", "owner", "fellow", "other"),
    [
        (0o600, True, False, False),
        (0o640, True, False, False),
        (0o660, True, True, False),
        (0o666, True, True, True),
        (0o060, False, True, False),
    ],
)
def test_rights_of_owner_group_and_others(tmp_path, mode, owner, fellow, other):
    open_up(tmp_path)
    file = tmp_path / "port"
    file.touch()
    os.chown(file, OWNER.uid, 4_000_009)
    file.chmod(mode)
    wanted = os.R_OK | os.W_OK
    assert [user.may(file, wanted) for user in (OWNER, FELLOW, OTHER)] == [owner, fellow, other]
    assert User.current().may(file, wanted)


@root_only
def test_a_closed_folder_closes_what_is_in_it(tmp_path):
    open_up(tmp_path)
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    file = folder / "file"
    file.touch()
    file.chmod(0o666)
    assert not OTHER.may(file, os.R_OK)
    folder.chmod(0o711)
    assert OTHER.may(file, os.R_OK)


def test_a_file_that_is_not_there():
    with pytest.raises(FileNotFoundError):
        OTHER.may(Path("/nowhere/at/all"), os.R_OK)


def test_users():
    mine = User.current()
    assert mine == User.of_process(os.getpid())
    assert User.named("nobody").name == "nobody"
    assert User.named("no-such-user") is None
    more = User.named("nobody", ["tty", "no-such-group"])
    assert len(more.gids - User.named("nobody").gids) == 1


def test_who_holds_a_file_is_named_and_not_this_process(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with file.open("a") as mine:
        assert holders(file) == []
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=mine) as other:
            assert [each.pid for each in holders(file)] == [other.pid]
            assert sys.executable in str(holders(file)[0])
            other.kill()
    assert holders(tmp_path / "none") == []


def test_who_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listeners("127.0.0.1", port) == ([], os.getuid())  # this process isn't named
        assert listeners("0.0.0.0", port)[1] == os.getuid()
        assert listeners("127.0.0.2", port) == ([], None)
        assert listeners("::1", port) == ([], None)


def test_who_holds_a_lock(tmp_path):
    file = tmp_path / "lock"
    assert lock_holder(file) is None
    with file.open("w") as lock:
        assert lock_holder(file) is None
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert lock_holder(file) == os.getpid()


def test_processes_by_name():
    assert called("no-such-program") == []
    assert str(Process(7, "screen")) == "screen (process 7)"


def test_which_file_system(tmp_path):
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw - ext4 /dev/root rw\n"
        "2 1 0:5 / /mnt/my\\040card rw shared:1 - vfat /dev/sda1 rw\n"
        "3 1 0:6 / /mnt rw - xfs /dev/sdb1 rw\n"
        "4 3 0:7 / /mnt rw - nfs4 server:/ rw\n"
    )
    kinds = {path: mount_of(path, table).kind for path in map(Path, ("/etc", "/mnt/my card/x", "/mnt/y"))}
    assert list(kinds.values()) == ["ext4", "vfat", "nfs4"]


def open_up(folder):
    """Let everybody enter the folders around, as far as they are a test's."""
    for each in (folder, *folder.parents):
        if each.name.startswith("pytest-"):
            each.chmod(0o755)
    folder.chmod(0o755)
