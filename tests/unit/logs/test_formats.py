import logging
import os
import sys

import orjson
import pytest

from gateway.logs.formats import Journal, Json, Plain, formatter_for


def record(text, *args, level=logging.WARNING, **fields):
    made = logging.LogRecord("gateway.x", level, "x.py", 1, text, args, None)
    made.__dict__.update(fields)
    return made


def failure():
    made = record("it failed", level=logging.ERROR)
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        made.exc_info = sys.exc_info()
    return made


def test_people_see_when_and_how_bad():
    line = Plain().format(record("source %s is down", "broker"))
    assert line.endswith(" WARNING source broker is down")
    assert line[:2] == "20"


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.CRITICAL, 3), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7)],
)
def test_the_journal_gets_a_priority_and_no_time(level, priority):
    assert Journal().format(record("hello", level=level)) == f"<{priority}>hello"


def test_each_line_of_a_traceback_has_its_priority():
    lines = Journal().format(failure()).splitlines()
    assert len(lines) > 3
    assert {line[:3] for line in lines} == {"<3>"}


def test_a_detail_has_lines_of_its_own():
    made = record("it hangs:", detail="Thread 1\n  here\n")
    assert Journal().format(made) == "<4>it hangs:\n<4>Thread 1\n<4>  here"
    assert Plain().format(made).endswith("it hangs:\nThread 1\n  here")
    assert orjson.loads(Json().format(made))["detail"] == "Thread 1\n  here\n"


@pytest.mark.parametrize("form", [Plain, Journal])
def test_a_stranger_s_text_forges_no_line_and_moves_no_cursor(form):
    text = form().format(record("rejected: %s", "x\n<0>forged\r\x1b[2J\x9b\x85\tend"))
    assert text.endswith("rejected: x\\x0a<0>forged\\x0d\\x1b[2J\\x9b\\x85\tend")


@pytest.mark.parametrize("form", [Plain, Journal, Json])
def test_a_line_is_bounded(form):
    assert len(form().format(record("%s", "x" * 1_000_000))) < 9000


def test_programs_get_fields():
    found = orjson.loads(Json().format(record("source %s: \udcff\n", "broker", source="broker")))
    assert found.pop("time").startswith("20")
    assert found == {
        "level": "warning",
        "logger": "gateway.x",
        "message": "source broker: \\udcff\n",
        "source": "broker",
    }
    line = Json().format(failure())
    assert "\n" not in line
    assert orjson.loads(line)["traceback"].endswith("ZeroDivisionError: division by zero")


def test_systemd_s_journal_is_known_by_what_it_says_of_itself(monkeypatch, tmp_path):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    with (tmp_path / "log").open("w") as log, (tmp_path / "other").open("w") as other:
        assert isinstance(formatter_for(None, log.fileno()), Plain)
        found = os.fstat(log.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert isinstance(formatter_for(None, log.fileno()), Journal)
        assert isinstance(formatter_for(None, other.fileno()), Plain)  # redirected, inside a service
        assert isinstance(formatter_for("json", log.fileno()), Json)
