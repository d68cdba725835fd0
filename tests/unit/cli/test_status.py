import json
import signal
import socket as stdlib_socket
import subprocess
import sys

import pytest

from tests.unit.cli.conftest import a_status, ledger

HOSTILE = "[red]x[/red]\x1b[31m\x9b\u202e\n"


def test_healthy(run, daemon):
    result = run("status")
    assert result.exit_code == 0
    for words in ("greenhouse", "1.2.3, up for 2 h", "healthy", "broker", "mqtt", "up", "3 min", "5.0 MiB", "3 d old"):
        assert words in result.stdout
    assert "12\u202f345" in result.stdout


def test_degraded_says_why(run, daemon):
    daemon.answers["/status"] = a_status(healthy=False, problems=["source broker is down: refused"])
    result = run("status")
    assert result.exit_code == 1
    assert "! source broker is down: refused" in result.stdout


def test_json_is_what_the_daemon_says(run, daemon):
    result = run("status", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == daemon.answers["/status"]


def test_json_of_a_degraded_gateway(run, daemon):
    daemon.answers["/status"] = a_status(healthy=False)
    assert run("status", "--json").exit_code == 1


def test_totals_of_several_sources(run, daemon):
    source = daemon.answers["/status"]["sources"][0]
    other = source | {"name": "bench", "ledger": ledger(received=1, in_flight=1)}
    daemon.answers["/status"] = a_status(sources=[source, other], ledger=ledger(received=99))
    [total] = [row for row in run("status").stdout.splitlines() if row.startswith("all ")]
    assert "99" in total


def test_before_the_first_reading(run, daemon):
    journal = {"readings": 0, "bytes": 0, "oldest": None, "writable": True}
    live = {"lag_ms": {"p50": 0.0, "p99": 0.0}}
    daemon.answers["/status"] = a_status(sources=[], journal=journal, live=live)
    rows = [row.split() for row in run("status").stdout.splitlines()]
    assert ["journal", "0", "readings,", "0", "B"] in rows
    assert not {"source", "latency"} & {row[0] for row in rows if row}


def test_a_journal_that_can_not_be_written(run, daemon):
    journal = {"readings": 0, "bytes": 0, "oldest": None, "writable": False}
    daemon.answers["/status"] = a_status(journal=journal)
    assert "CAN'T BE WRITTEN" in run("status").stdout


def test_names_are_shown_as_text(run, daemon):
    source = daemon.answers["/status"]["sources"][0] | {"name": HOSTILE, "reason": HOSTILE}
    daemon.answers["/status"] = a_status(sources=[source], problems=[HOSTILE])
    shown = run("status").stdout
    assert shown.count(r"[red]x[/red]\x1b[31m\x9b\u202e\n") == 4
    assert all(sign.isprintable() or sign == "\n" for sign in shown.replace("\u202f", ""))


def test_what_is_piped_is_not_cut(run, daemon):
    reason = "x" * 60
    daemon.answers["/status"] = a_status(sources=[daemon.answers["/status"]["sources"][0] | {"reason": reason}])
    assert reason in run("status").stdout


def test_a_narrow_terminal_loses_nothing(run, daemon, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    shown = run("status").stdout
    assert max(map(len, shown.splitlines())) <= 60
    for part in ("12", "345", "340", "source", "broker"):
        assert part in shown


def test_not_running_says_where_and_how_to_start(run, socket):
    result = run("status")
    assert result.exit_code == 3
    assert f"nobody answers at {socket}. Start it with: gatewayd" in result.stderr


def test_a_socket_that_was_left_behind(run, socket):
    with stdlib_socket.socket(stdlib_socket.AF_UNIX) as left:
        left.bind(str(socket))
    assert run("status").exit_code == 3


def test_something_else_answers(run, daemon):
    del daemon.answers["/status"]
    result = run("status")
    assert result.exit_code == 3
    assert "is no gateway of this version: it answers 404" in result.stderr


def test_a_path_too_long_for_a_socket(run, socket):
    assert run("--socket", "/tmp/" + "x" * 200, "status").exit_code == 3


def start(socket, *arguments):
    command = [sys.executable, "-c", "from gateway.cli import main; main()", "--socket", str(socket), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_watch_until_ctrl_c(daemon, socket):
    with start(socket, "status", "--watch", "--json") as watching:
        first, second = watching.stdout.readline(), watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=10) == 0
    assert json.loads(first) == json.loads(second) == daemon.answers["/status"]


def test_fast_start_without_eventlet(daemon, socket):
    script = (
        "import sys\nfrom gateway.cli import cli\n"
        f"cli(['--socket', {str(socket)!r}, 'status'], standalone_mode=False)\n"
        "print([name for name in ('eventlet', 'flask', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize(
    ("skew_s", "words"), [(0.4, "in step"), (-7200.0, "2 h ahead"), (75.0, "1 min behind"), (None, "")]
)
def test_the_clock_of_a_source(run, daemon, skew_s, words):
    source = daemon.answers["/status"]["sources"][0] | {"skew_s": skew_s, "state": "stalled"}
    daemon.answers["/status"] = a_status(sources=[source])
    shown = run("status").stdout
    assert words in shown
    assert any(sign in shown for sign in ("in step", "ahead", "behind")) == bool(words)
