import logging
import os
import socket
import sys

import pytest

from gateway.logs.outputs import Entries, Lines, output_for


def record(text, *args, level=logging.WARNING, **fields):
    made = logging.LogRecord("gateway.x", level, "/x.py", 7, text, args, None, "f")
    made.__dict__.update(fields)
    return made


def parsed(entry):
    """Return the fields of an entry in the journal's native protocol."""
    fields = {}
    while entry:
        name, _, entry = entry.partition(b"\n")
        if b"=" in name:
            name, _, value = name.partition(b"=")
        else:
            size = int.from_bytes(entry[:8], "little")
            value, entry = entry[8 : 8 + size], entry[8 + size + 1 :]
        fields[name.decode()] = value.decode()
    return fields


@pytest.fixture
def stderr(tmp_path):
    with (tmp_path / "stderr").open("w+b", buffering=0) as file:
        yield file


@pytest.fixture
def journal(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as served:
        served.bind(str(tmp_path / "socket"))
        served.settimeout(5.0)
        yield served


@pytest.fixture
def entries(tmp_path, stderr):
    entries = Entries(tmp_path / "socket", stderr.fileno(), hide=lambda text: text.replace("secret", "***"))
    yield entries
    if entries._socket is not None:
        entries._socket.close()


def write(output, made):
    output.write(output.encode(made))


def test_the_journal_gets_fields(journal, entries, stderr):
    write(entries, record("source %s: a secret\n<0>forged", "broker", source="broker"))
    assert parsed(journal.recv(65536)) == {
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "gatewayd",
        "LOGGER": "gateway.x",
        "GATEWAY_SOURCE": "broker",
        "CODE_FILE": "/x.py",
        "CODE_LINE": "7",
        "CODE_FUNC": "f",
        "MESSAGE": "source broker: a ***\\x0a<0>forged",
    }
    assert os.fstat(stderr.fileno()).st_size == 0


def test_a_traceback_is_one_entry(journal, entries):
    made = record("it failed", level=logging.ERROR)
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        made.exc_info = sys.exc_info()
    write(entries, made)
    fields = parsed(journal.recv(65536))
    assert (fields["PRIORITY"], "GATEWAY_SOURCE" in fields) == ("3", False)
    lines = fields["MESSAGE"].splitlines()
    assert (lines[0], lines[-1]) == ("it failed", "ZeroDivisionError: division by zero")


def test_without_the_journal_lines_go_to_stderr(entries, stderr):
    write(entries, record("first secret"))
    stderr.seek(0)
    assert stderr.read() == b"<4>first ***\n"


def test_an_entry_that_is_too_long_for_the_socket_goes_to_stderr(journal, entries, stderr):
    made = record("it failed")
    made.exc_text = "x" * 10_000_000
    write(entries, made)
    write(entries, record("next"))
    assert parsed(journal.recv(65536))["MESSAGE"] == "next"
    assert os.fstat(stderr.fileno()).st_size > 10_000_000


def test_the_journal_is_used_where_it_reads_stderr_and_nothing_else_is_wished(monkeypatch, tmp_path, stderr, journal):
    fd, path = stderr.fileno(), tmp_path / "socket"
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert isinstance(output_for(None, fd, journal=path), Lines)
    found = os.fstat(fd)
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    assert isinstance(output_for(None, fd, journal=path), Entries)
    assert isinstance(output_for("plain", fd, journal=path), Lines)
    assert isinstance(output_for(None, fd, journal=tmp_path / "missing"), Lines)
