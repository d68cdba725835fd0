import base64
import json
import time

import pytest


def a_reject(id_=12, payload=b'{"temperature": "21,4"}', **changes):
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = None
    return {
        "id": id_,
        "source": "broker",
        "topic": "sensors/kitchen",
        "payload": text,
        "payload_base64": base64.b64encode(payload).decode(),
        "size": len(payload),
        "truncated": False,
        "reason": 'temperature: expected a number, got "21,4"',
        "rule": "climate",
        "first": time.time() - 7200,
        "last": time.time() - 5,
        "count": 1500,
    } | changes


@pytest.fixture
def listed(daemon):
    def listed(*rejects, total=None):
        daemon.answers["/rejects"] = {"rejects": list(rejects), "total": total or len(rejects)}
        daemon.answers.update({f"/rejects/{reject['id']}": reject for reject in rejects})

    return listed


def test_what_was_refused_and_why(run, listed):
    listed(a_reject())
    shown = run("rejects", "list").stdout
    for words in (
        "12",
        "broker",
        "sensors/kitchen",
        'expected a number, got "21,4"',
        '{"temperature": "21,4"}',
        "5 s ago",
    ):
        assert words in shown
    assert "1\N{NARROW NO-BREAK SPACE}500" in shown


def test_json(run, listed, daemon):
    listed(a_reject())
    assert json.loads(run("rejects", "list", "--json").stdout) == daemon.answers["/rejects"]
    assert json.loads(run("rejects", "show", "--json", "12").stdout) == daemon.answers["/rejects/12"]


def test_none(run, listed):
    listed()
    assert run("rejects", "list").stdout == "Nothing has been rejected, or all of it was replayed.\n"


def test_there_are_more(run, listed):
    listed(a_reject(), total=70)
    assert "The newest 1 of 70." in run("rejects", "list").stdout


def test_long_and_binary_payloads_are_short_in_the_list(run, listed):
    listed(a_reject(1, b"x" * 5000, size=5000), a_reject(2, b"\xff\x00\x01"))
    shown = run("rejects", "list").stdout
    assert f"{'x' * 40}… (4.9 KiB)" in shown
    assert "3 B, not text" in shown


def test_all_of_one(run, listed):
    listed(a_reject())
    shown = run("rejects", "show", "12").stdout
    for words in (
        "climate",
        "1\N{NARROW NO-BREAK SPACE}500 times, last 5 s ago, first 2 h ago",
        '{"temperature": "21,4"}',
    ):
        assert words in shown


def test_bytes_are_shown_in_hex(run, listed):
    listed(a_reject(payload=b"ABC\xff" * 5, count=1, rule=None, truncated=True, size=9000))
    shown = run("rejects", "show", "12").stdout
    assert "0000  41 42 43 ff 41 42 43 ff 41 42 43 ff 41 42 43 ff  ABC.ABC.ABC.ABC." in shown
    assert "0010  41 42 43 ff" in shown
    assert "can't be replayed" in shown
    assert "rule" not in shown


def test_what_a_stranger_sent_is_shown_as_text(run, listed):
    hostile = "[bold]\x1b]0;x\x07"
    listed(a_reject(payload=hostile.encode(), topic=hostile, reason=hostile, source=hostile))
    for shown in (run("rejects", "list").stdout, run("rejects", "show", "12").stdout):
        assert shown.count(r"[bold]\x1b]0;x\x07") == 4
        assert "\x1b" not in shown


def test_what_a_replay_skipped_is_explained(run, daemon):
    daemon.answers["/rejects/replay"] = {"replayed": 14, "stored": 3, "rejected": 11, "skipped": 2}
    shown = run("rejects", "replay", "--all").stdout
    assert shown == "14 replayed: 3 stored, 11 rejected, 2 skipped (not kept whole, or of a source that is gone)\n"


@pytest.mark.parametrize("arguments", [(), ("1", "--all"), ("nonsense",), ("0",)])
def test_what_is_to_be_replayed_must_be_said(run, daemon, arguments):
    assert run("rejects", "replay", *arguments).exit_code == 2


def test_not_running(run):
    assert run("rejects", "list").exit_code == 3
