"""Secrets in every place that takes one: they do their work, and nobody sees them."""

import json
import os
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.leaks import leaks
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.viewers import Viewer

SECRETS = {
    "password": "in-the-clear-Zq7",
    "password_file": "from-a-file-Zq7",
    "variable": "from-environ \"ü'\\Zq7",
    "credential": "from-systemd-Zq7",
    "address": "in-an-address-Zq7",
    "address by reference": "in-environ-address-Zq7",
    "wrong password": "is-refused-Zq7",
    "TLS key": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
}
PAGES = (
    "/",
    "/status",
    "/rejects",
    "/devices/a",
    "/nowhere",
    "/api/v1/status",
    "/api/v1/devices",
    "/api/v1/rejects",
    "/metrics",
    "/readyz",
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "pw").write_text(SECRETS["password_file"] + "\n")
    (tmp_path / "key.pem").write_text(f"-----BEGIN PRIVATE KEY-----\n{SECRETS['TLS key']}\n-----END PRIVATE KEY-----\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "broker").write_text(SECRETS["credential"] + "\n")
    return tmp_path


@pytest.fixture
def broker(files):
    users = {
        "clear": SECRETS["password"],
        "file": SECRETS["password_file"],
        "variable": SECRETS["variable"],
        "credential": SECRETS["credential"],
    }
    passwords = files / "passwords"
    passwords.touch()
    for user, password in users.items():
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, password], check=True, capture_output=True)
    passwords.chmod(0o600)
    with Mosquitto(files / "broker", anonymous=False, lines=[f"password_file {passwords}"]) as one:
        yield one


def mqtt(broker, name, lines):
    return (
        f'[[adapters]]\nname = "{name}"\ntype = "mqtt"\nport = {broker.port}\n{lines}\n'
        f'[[adapters.routes]]\ntopic = "{name}/{{device}}"\n'
    )


def serial(name, url):
    return f'[[adapters]]\nname = "{name}"\ntype = "serial"\nurl = "{url}"\ndevice = "{name}"\n'


def tables(broker, files):
    working = {
        "clear": f'password = "{SECRETS["password"]}"',
        "file": f'password_file = "{files}/pw"',
        "variable": 'password = "${VARIABLE}"',
        "credential": 'password = "${credential:broker}"',
    }
    return "".join(mqtt(broker, name, f'username = "{name}"\n{line}') for name, line in working.items()) + "".join(
        [
            mqtt(broker, "refused", f'username = "clear"\npassword = "{SECRETS["wrong password"]}"'),
            mqtt(broker, "tls", f'tls = true\ncert_file = "{files}/key.pem"\nkey_file = "{files}/key.pem"'),
            serial("address", f"socket://me:{SECRETS['address']}@127.0.0.1:1"),
            serial("reference", "socket://me:${ADDRESS}@127.0.0.1:1"),
        ]
    )


@pytest.fixture
def environment(files):
    more = {"VARIABLE": SECRETS["variable"], "ADDRESS": SECRETS["address by reference"]}
    return os.environ | more | {"CREDENTIALS_DIRECTORY": str(files / "credentials")}


def fetch(url):
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    try:
        with urllib.request.urlopen(request, timeout=10.0) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()


def gatewayctl(daemon, environment, *arguments):
    program = [sys.executable, "-c", "from gateway.cli import main; main()", "--config", str(daemon.config), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False, env=environment)
    return done.stdout + done.stderr


def unpacked(bundle):
    with tarfile.open(bundle) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


@pytest.mark.parametrize("form", ["plain", "json"])
def test_secrets_do_their_work_and_nobody_sees_them(broker, files, environment, form):
    command = (sys.executable, "-m", "gateway", "--log-format", form)
    daemon = Daemon(files / "gateway", tables(broker, files), env=environment, command=command)
    with daemon, Viewer(daemon.url) as viewer:
        daemon.wait_up("clear", "file", "variable", "credential")
        wait_until(lambda: set(daemon.source_states().values()) == {"up", "down"}, "all have been tried")
        viewer.ask("overview", {})
        said = {page: fetch(daemon.url + page) for page in PAGES}
        for command in ("status", "status --json", "devices", "rejects list", "check", "reload", "doctor"):
            said[f"gatewayctl {command}"] = gatewayctl(daemon, environment, *command.split())
        said["gatewayctl bundle"] = gatewayctl(daemon, environment, "bundle", str(files / "bundle.tar.gz"))
        bundle = unpacked(files / "bundle.tar.gz")
        daemon.configure(tables(broker, files) + f'password = ["{SECRETS["password"]}", "${{VARIABLE}}"]\n')
        said["a refused reload"] = gatewayctl(daemon, environment, "reload")
        daemon.configure(tables(broker, files) + f"password = {SECRETS['password']}\n")
        said["a reload of what is no TOML"] = str(daemon.reload())
        said["status after that"] = fetch(f"{daemon.url}/api/v1/status")
        said["the process list"] = Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
        said["what a browser got"] = str(viewer.events)
        journal = {path.name: path.read_bytes() for path in (files / "gateway" / "state").iterdir() if path.is_file()}
    assert "can't be used" in said["a refused reload"]
    assert "socket://…@127.0.0.1:1" in said["gatewayctl status --json"].encode().decode("unicode_escape")
    assert leaks(SECRETS, said | journal | bundle | {"the log": daemon.log}) == []
    assert b"clear" in bundle["bundle/status.json"]
    assert b'"broker-unauthorized"' in bundle["bundle/doctor.json"] or b"refused" in bundle["bundle/doctor.json"]
    assert b"password = " in bundle["bundle/configuration/gateway.toml"]
    assert b"ready on http://" in bundle["bundle/log.txt"]


def test_the_search_would_find_them():
    for what, secret in SECRETS.items():
        assert leaks({what: secret}, {"a text": f"x{secret}y"})
        assert leaks({what: secret}, {"JSON": json.dumps({"a": secret})})


def test_a_missing_variable_or_credential_stops_the_start(broker, files, environment):
    del environment["CREDENTIALS_DIRECTORY"], environment["VARIABLE"]
    daemon = Daemon(files / "gateway", tables(broker, files), env=environment)
    program = [sys.executable, "-m", "gateway", "--config", str(daemon.config)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 78
    assert "adapters[2].password: expected a variable that is set, found " in done.stderr
    assert "adapters[3].password: expected a credential of the service, found " in done.stderr
    assert leaks(SECRETS, {"stderr": done.stderr}) == []
    checked = gatewayctl(daemon, environment | {"VARIABLE": "x"}, "check")
    assert ": OK\n" in checked, "who isn't the service can't look at its credentials"


def test_the_log_warns_of_what_everybody_can_read(broker, files, environment):
    (files / "pw").chmod(0o644)
    with Daemon(files / "gateway", mqtt(broker, "file", f'username = "file"\npassword_file = "{files}/pw"')) as daemon:
        assert f"every user of this machine can read {files}/pw" in daemon.log
        assert "warning: " in gatewayctl(daemon, environment, "check")
        (files / "pw").chmod(0o600)
        assert "every user" not in gatewayctl(daemon, environment, "check")
