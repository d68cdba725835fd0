import signal
import subprocess
import sys

from tests.unit.cli.conftest import line


def test_a_line_a_reading(run, daemon):
    daemon.lines = (b"\n", line("kitchen", {"temperature": 21.5, "open": True}, {"state": "on"}))
    result = run("tail")
    first, second = result.stdout.splitlines()
    assert first.endswith(".250  kitchen  temperature=21.5  open=true")
    assert second.endswith("kitchen  state=on")


def test_only_some_devices(run, daemon):
    run("tail", "kitchen", "Living Room (küche) & co")
    assert daemon.devices == ["kitchen", "Living Room (küche) & co"]


def test_a_name_that_nobody_has_may_be_misspelt(run, daemon):
    result = run("tail", "kitchen", "kichen")
    assert result.stderr.startswith("kichen: not heard of yet, waiting for it")
    assert "kitchen: " not in result.stderr
    assert daemon.devices == ["kitchen", "kichen"]


def test_json_lines_as_they_come(run, daemon):
    daemon.lines = (line("a", {"x": 1}), b"\n", line("b", {"y": 2}))
    assert run("tail", "--json").stdout.encode() == line("a", {"x": 1}) + line("b", {"y": 2})


def test_lines_cut_anywhere(run, daemon):
    whole = line("a", {"x": 1}) + line("b", {"y": "ü" * 50})
    daemon.lines = tuple(whole[at : at + 7] for at in range(0, len(whole), 7))
    assert run("tail", "--json").stdout.encode() == whole


def test_the_gateway_goes_away(run, daemon, socket):
    daemon.lines = (line("a", {"x": 1}),)
    result = run("tail")
    assert result.exit_code == 3
    assert f"The gateway at {socket} has gone away." in result.stderr


def test_not_running(run):
    assert run("tail").exit_code == 3


def test_what_a_sensor_says_can_not_command_the_terminal(run, daemon):
    daemon.lines = (line("a\x1b[2J", {"x\x9b": "\x1b]0;x\x07"}),)
    shown = run("tail").stdout
    assert r"a\x1b[2J  x\x9b=\x1b]0;x\x07" in shown


def test_a_clock_that_is_far_off(run, daemon):
    daemon.lines = (line("a", {"x": 1}).replace(b"1767225600.25", b"1e300"),)
    assert "1e+300  a  x=1" in run("tail").stdout


def test_ctrl_c_is_the_way_to_end_it(daemon, socket):
    daemon.hold.set()
    daemon.lines = (line("a", {"x": 1}),)
    command = [sys.executable, "-c", "from gateway.cli import main; main()", "--socket", str(socket), "tail"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tailing:
        assert tailing.stdout.readline().endswith("a  x=1\n")
        tailing.send_signal(signal.SIGINT)
        out, err = tailing.communicate(timeout=10)
        assert (tailing.returncode, out, err) == (0, "", "")
