"""What goes into a bundle, and what doesn't."""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.bundle import Cleaning
from gateway.cli import cli
from tests.support.journals import START, entry, opened, reading
from tests.support.leaks import leaks

SECRETS = {
    "in the clear": "clear-Zq7",
    "in single quotes": 'quotes-"-Zq7',
    "second line of several": "second-Zq7",
    "in a list": "listed-Zq7",
    "in a table": "nested-Zq7",
    "a number": "84937261",
    "in a comment": "comment-Zq7",
    "in an address": "address-Zq7",
    "in conf.d": "added-Zq7",
    "in a file": "file-Zq7",
    "of an adapter that isn't installed": "unknown-Zq7",
}
MAIN = f"""
[gateway]
name = "box"
# password = "{SECRETS["in a comment"]}"
[[adapters]]
name = "a"
type = "mqtt"
password_file = "pw"
[[adapters.routes]]
topic = "x/{{device}}"
[[adapters]]
name = "b"
type = "serial"
url = "socket://me:{SECRETS["in an address"]}@127.0.0.1:1"
device = "b"
[[adapters]]
name = "c"
type = "unheard-of"
password = '{SECRETS["in single quotes"]}'
api_token = \"\"\"
first
{SECRETS["second line of several"]}
\"\"\"
secrets = ["{SECRETS["in a list"]}"]
credential = {{ one = {{ two = "{SECRETS["in a table"]}" }} }}
passcode = {SECRETS["a number"]}
token = "{SECRETS["of an adapter that isn't installed"]}"
old_password = "{SECRETS["in the clear"]}"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pw").write_text(SECRETS["in a file"] + "\n")
    (tmp_path / "gateway.toml").write_text(MAIN)
    (tmp_path / "conf.d").mkdir()
    added = f'[[adapters]]\nname = "d"\ntype = "mqtt"\npassword = "{SECRETS["in conf.d"]}"\n'
    (tmp_path / "conf.d" / "d.toml").write_text(f'{added}[[adapters.routes]]\ntopic = "y/{{device}}"\n')
    return tmp_path / "gateway.toml"


def bundle(config: Path, *options: str) -> dict[str, str]:
    target = config.with_name("bundle.tar.gz")
    done = CliRunner().invoke(cli, ["--config", str(config), "bundle", str(target), *options])
    assert done.exit_code == 0, done.output
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as archive:
        found = {member.name.removeprefix("bundle/"): archive.extractfile(member).read().decode() for member in archive}
    target.unlink()
    return found


def fill(config: Path) -> None:
    with opened(config.parent / "state" / "journal.db") as it:
        it.put([entry(reading("kitchen", START + n, 12345.678)) for n in range(5)])


def test_no_secret_is_in_it_wherever_it_stands(config: Path) -> None:
    fill(config)
    found = bundle(config, "--with-payloads")
    assert leaks(SECRETS, found) == []
    shown = found["configuration/gateway.toml"]
    assert 'name = "box"' in shown
    assert "socket://…@127.0.0.1:1" in shown
    assert 'password_file = "pw"' in shown
    assert 'topic = "y/{device}"' in found["configuration/conf.d/d.toml"]
    assert "unheard-of" in found["configuration.json"], "what is wrong with it"


def test_what_is_learnt_is_hidden_elsewhere(config: Path) -> None:
    cleaning = Cleaning(config)
    cleaning.learn()
    said = {what: cleaning.text(f"a log line with {SECRETS[what]} in it") for what in ("in a file", "in conf.d")}
    assert leaks(SECRETS, said) == []
    assert cleaning.value({"a": [SECRETS["in a file"], 1, None]}) == {"a": ["…", 1, None]}


def test_no_line_of_many_keys_is_forgotten(tmp_path: Path) -> None:
    lines = [f"key-{number:04}-Zq7" for number in range(1500)]
    tables = []
    for first in range(0, 1500, 500):
        (tmp_path / f"{first}.key").write_text("\n".join(lines[first : first + 500]))
        tables.append(f'[[adapters]]\nname = "a{first}"\ntype = "mqtt"\nkey_file = "{first}.key"\n')
    config = tmp_path / "gateway.toml"
    config.write_text("".join(tables))
    cleaning = Cleaning(config)
    cleaning.learn()
    assert "Zq7" not in cleaning.text("\n".join(lines))


def test_it_says_what_a_report_needs_and_no_readings(config: Path) -> None:
    fill(config)
    found = bundle(config)
    assert json.loads(found["versions.json"])["python"] == sys.version
    assert "pydantic" in json.loads(found["versions.json"])["packages"]
    journal = json.loads(found["journal.json"])
    assert (journal["quick_check"], journal["rows"]["logged"], journal["rows"]["devices"]) == (["ok"], 5, 1)
    assert any("CREATE TABLE log" in sql for sql in journal["schema"])
    assert "isn't running" in json.loads(found["status.json"])["error"]
    assert any(finding["name"] for finding in json.loads(found["doctor.json"]))
    assert not any("12345.678" in text for text in found.values())
    assert set(found) >= {"README.txt", "log.txt", "rejects.json"}


def test_without_anything_there_is_still_a_bundle(tmp_path: Path) -> None:
    found = bundle(tmp_path / "gateway.toml")
    assert "nothing there" in found["configuration.json"]
    assert "packages" in found["versions.json"]


def test_a_file_that_is_no_toml_is_left_out(config: Path) -> None:
    config.write_text(MAIN + 'password = "half-')
    found = bundle(config)
    assert leaks(SECRETS, found) == []
    assert found["configuration/gateway.toml"].startswith("# left out")


def test_who_may_not_read_the_configuration_gets_a_bundle_that_says_so(config: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root becomes somebody else")
    config.parent.chmod(0o700)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        program = [sys.executable, "-m", "tests.support.stranger", "65534", "65534"]
        command = [*program, "--config", str(config), "bundle", f"{folder}/b.tar.gz"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        with tarfile.open(f"{folder}/b.tar.gz") as archive:
            assert b"permission denied" in archive.extractfile("bundle/configuration.json").read()


def test_nothing_is_overwritten(config: Path) -> None:
    config.with_name("bundle.tar.gz").write_text("mine")
    done = CliRunner().invoke(cli, ["--config", str(config), "bundle", str(config.with_name("bundle.tar.gz"))])
    assert (done.exit_code, "is there already" in done.output) == (1, True)
    assert config.with_name("bundle.tar.gz").read_text() == "mine"
