import json

from tests.unit.cli.conftest import a_device


def test_what_there_is(run, daemon):
    shown = run("devices").stdout
    for words in ("kitchen", "broker", "online", "5 s ago", "1.25", "temperature=21.5 °C  open=false"):
        assert words in shown


def test_json(run, daemon):
    assert json.loads(run("devices", "--json").stdout) == daemon.answers["/devices"]


def test_none(run, daemon):
    daemon.answers["/devices"] = {"devices": []}
    assert run("devices").stdout == "No device has been heard of yet.\n"


def test_a_device_without_a_reading(run, daemon):
    silent = a_device(last=None, latest={}, last_seen=0, state="offline")
    daemon.answers["/devices"] = {"devices": [silent]}
    shown = run("devices").stdout
    assert "offline" in shown
    assert "never" in shown


def test_names_and_values_are_shown_as_text(run, daemon):
    hostile = "<b>[bold]\x1b]0;x\x07"
    daemon.answers["/devices"] = {"devices": [a_device(id=hostile, source=hostile, latest={hostile: hostile})]}
    shown = run("devices").stdout
    assert shown.count(r"<b>[bold]\x1b]0;x\x07") == 4
    assert "\x1b" not in shown


def test_not_running(run):
    assert run("devices").exit_code == 3
