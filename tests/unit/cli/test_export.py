"""Readings straight from the journal, with and without a daemon."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.model import Reading, encode_body
from tests.support.journals import START, changing, entry, make_old, opened


def said(device: str, n: int) -> Reading:
    values = {"temperature": 20.5 + n, "open": n % 2 == 0, "note": 'say "wört",\n'}
    return Reading(device, START + n, values, encode_body(START + n, values))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "gateway.toml").write_text("")
    return tmp_path / "state" / "journal.db"


def export(path: Path, *args: str) -> Result:
    command = ["--config", str(path.parents[1] / "gateway.toml"), "export", *args]
    return CliRunner().invoke(cli, command)


def fill(path: Path, *, packed: bool = True) -> None:
    with opened(path) as it:
        it.put([entry(said("küche", n), said("attic", n), arrived=START + n) for n in range(6000)])
        if packed:
            it.pack()


def test_json_lines_are_what_was_stored(path: Path) -> None:
    fill(path)
    lines = export(path, "--format", "jsonl", "küche").stdout_bytes.splitlines()
    expected = [b'{"device":"k\xc3\xbcche","seq":%d,%b' % (n + 1, said("küche", n).body[1:]) for n in range(6000)]
    assert lines == expected


@pytest.mark.parametrize("packed", [True, False])
def test_csv_has_a_row_for_each_value_beside_a_running_gateway_too(path: Path, packed: bool) -> None:
    with opened(path) as it:
        it.put([entry(said("attic", n), arrived=START + n) for n in range(3)])
        if packed:
            it.pack()
        rows = list(csv.reader(io.StringIO(export(path).stdout)))
    assert rows[:4] == [
        ["device", "seq", "ts", "time", "metric", "value"],
        ["attic", "1", "1767225600.0", "2026-01-01T00:00:00.000000Z", "temperature", "20.5"],
        ["attic", "1", "1767225600.0", "2026-01-01T00:00:00.000000Z", "open", "true"],
        ["attic", "1", "1767225600.0", "2026-01-01T00:00:00.000000Z", "note", 'say "wört",\n'],
    ]
    assert len(rows) == 1 + 9


def test_devices_and_times_choose(path: Path) -> None:
    fill(path)
    args = ("--since", str(START + 10), "--until", "2026-01-01T00:00:11Z", "--format", "jsonl")
    found = [json.loads(line) for line in export(path, *args).stdout.splitlines()]
    assert [(each["device"], each["seq"]) for each in found] == [
        ("attic", 11), ("attic", 12), ("küche", 11), ("küche", 12)
    ]  # fmt: skip
    assert len(export(path, "attic", "--since", "20000d").stdout.splitlines()) > 6000
    assert export(path, "attic", "--since", "1ms").stdout.splitlines() == ["device,seq,ts,time,metric,value"]


def test_what_can_not_be_read_is_told_in_words(path: Path) -> None:
    missing = export(path)
    assert (missing.exit_code, "there is none" in missing.output) == (1, True)
    make_old(path)
    older = export(path)
    assert (older.exit_code, "of an older gateway" in older.output) == (1, True)
    path.write_bytes(b"no journal" * 1000)
    assert export(path).exit_code == 1


def test_what_nobody_knows_is_refused(path: Path) -> None:
    fill(path, packed=False)
    assert "no device 'cellar'" in export(path, "cellar").output
    assert "expected 2026-01-31" in export(path, "--since", "yesterday").output


def test_a_damaged_block_is_told_at_the_end(path: Path) -> None:
    fill(path)

    with changing(path) as connection:
        connection.execute("UPDATE columns SET data = x'00' WHERE id = 512")
    connection.close()
    result = export(path, "--format", "jsonl")
    assert result.exit_code == 1
    assert "can't be read" in result.stderr
    assert len(result.stdout.splitlines()) == 12_000 - 1024
