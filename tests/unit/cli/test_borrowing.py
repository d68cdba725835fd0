import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli.borrowing import borrow
from gateway.doctor import unit


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


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which systemd lays the service's credentials; it isn't there."""
    folder = tmp_path / "given"
    monkeypatch.setattr(unit, "_GIVEN", folder)
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others run")
@pytest.mark.parametrize("has_credentials", [True, False])
def test_of_the_service_systemd_is_believed_and_not_the_process(
    config: Path, given: Path, has_credentials: bool
) -> None:
    if has_credentials:
        given.mkdir()
    with process(4242, BOX="evil.example", CREDENTIALS_DIRECTORY="/tmp/links-to-files-of-root") as pid:
        borrow(config, pid, config, unit.Unit({"MainPID": str(pid), "Environment": "OTHER=x"}))
        assert environment() == {"HOME": "/"} | ({"CREDENTIALS_DIRECTORY": str(given)} if has_credentials else {})
        borrow(config, pid, config, unit.Unit({"MainPID": str(pid), "Environment": "BOX=greenhouse"}))
    assert environment()["BOX"] == "greenhouse"


def test_what_a_unit_says_of_its_environment_is_read_as_systemd_reads_it(tmp_path: Path, given: Path) -> None:
    file = tmp_path / "environment"
    lines = [
        "# a remark",
        "; another",
        "",
        "A = 1",
        'B="two words"',
        """C=it's a \\\\"b\"""",
        "D=two  words",
        "E='$HOME'",
        "nonsense",
    ]
    file.write_text("\n".join(lines))
    files = f"{file} (ignore_errors=no) ; {tmp_path / 'none'} (ignore_errors=yes)"
    told = unit.Unit({"Environment": 'A=0 "Z=a b" Y=c', "EnvironmentFiles": files})
    values = {
        "A": "1",
        "B": "two words",
        "C": """it's a \\"b\"""",
        "D": "two  words",
        "E": "$HOME",
        "Y": "c",
        "Z": "a b",
    }
    assert told.environment() == values
    quoted = unit.Unit({"Environment": r'"A=a\$b\`c" "B=\\\$\"" C=1'})
    assert quoted.environment() == {"A": "a$b`c", "B": '\\$"', "C": "1"}
    assert unit.Unit({}).environment() == {}
    assert not given.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others run")
@pytest.mark.parametrize(("runs", "owns"), [(4242, 4242), (4242, 0), (0, 4242)], ids=["other", "linked", "setuid"])
def test_another_user_tells_root_nothing(config: Path, tmp_path: Path, runs: int, owns: int) -> None:
    control = tmp_path / "control.sock"
    control.touch()
    os.chown(control, owns, owns)
    with process(runs, BOX="evil.example", CREDENTIALS_DIRECTORY="/run/credentials/other.service") as pid:
        borrow(config, pid, control, unit.Unit({"MainPID": str(pid + 1), "Environment": "BOX=other"}))
    assert environment() == {"HOME": "/"}
