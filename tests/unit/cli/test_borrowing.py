import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli.borrowing import borrow


@contextmanager
def process(uid: int, **environment: str) -> Iterator[int]:
    """Run something as a user, in this environment; its process id."""
    child = subprocess.Popen(["/bin/sleep", "60"], user=uid, env=environment, cwd="/")
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(10.0)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text('[gateway]\nname = "${BOX}"\n')
    monkeypatch.setattr(os, "environ", {"HOME": "/"})
    return path


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


def test_what_is_referred_to_is_taken_over_and_nothing_else(config: Path) -> None:
    with process(os.geteuid(), BOX="greenhouse", OTHER="x", HOME="/y", CREDENTIALS_DIRECTORY="/tmp/z") as pid:
        borrow(config, pid, config, None)
    assert environment() == {"HOME": "/", "BOX": "greenhouse", "CREDENTIALS_DIRECTORY": "/tmp/z"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others run")
@pytest.mark.parametrize(
    ("folder", "taken"),
    [
        ("/run/credentials/telemetry-gateway.service", True),
        ("/tmp/links-to-files-of-root", False),
        ("/run/credentials/../../tmp/links-to-files-of-root", False),
        ("", False),
    ],
)
def test_the_service_does_not_say_where_root_looks_for_credentials(config: Path, folder: str, taken: bool) -> None:
    with process(4242, BOX="greenhouse", CREDENTIALS_DIRECTORY=folder) as pid:
        borrow(config, pid, config, pid)
    assert environment() == {"HOME": "/", "BOX": "greenhouse"} | ({"CREDENTIALS_DIRECTORY": folder} if taken else {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others run")
@pytest.mark.parametrize(("runs", "owns"), [(4242, 4242), (4242, 0), (0, 4242)], ids=["other", "linked", "setuid"])
def test_another_user_tells_root_nothing(config: Path, tmp_path: Path, runs: int, owns: int) -> None:
    control = tmp_path / "control.sock"
    control.touch()
    os.chown(control, owns, owns)
    with process(runs, BOX="evil.example", CREDENTIALS_DIRECTORY="/run/credentials/other.service") as pid:
        borrow(config, pid, control, pid + 1)
    assert environment() == {"HOME": "/"}
