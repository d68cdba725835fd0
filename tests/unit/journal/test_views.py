"""What people see who have nothing but the sqlite3 shell."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.model import Reading, encode_body
from tests.support.journals import START, entry, opened

pytestmark = pytest.mark.skipif(not shutil.which("sqlite3"), reason="needs the sqlite3 shell")


def shell(path: Path, query: str) -> list[dict[str, object]]:
    """Return the rows that the shell prints, while the journal is open."""
    command = ["sqlite3", "-readonly", "-json", str(path), query]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stderr == ""
    return json.loads(run.stdout or "[]")


def said(device: str, n: int) -> Reading:
    ts = START + n + n % 1000 / 1e6
    values: dict[str, object] = {"temperature": round(n / 100 - 3, 2), "n": -n, "open": n % 2 == 0}
    marks = {"retained": True} if n % 50 == 0 else {}
    if n % 7 == 0:
        values = {"note": 'wört "quoted"', "n": 2**60 + n, "odd": 1e300}
    return Reading(device, ts, values, encode_body(ts, values, **marks))


@pytest.mark.parametrize("packed", [0, 1300, 1500])
def test_readings_are_rows_packed_or_not(path: Path, packed: int) -> None:
    with opened(path) as it:
        it.put([entry(said("küche", n), said("attic", n), arrived=START + n) for n in range(packed)])
        it.pack()
        it.put([entry(said("küche", n), said("attic", n), arrived=START + n) for n in range(packed, 1500)])
        rows = shell(path, "SELECT * FROM readings WHERE device = 'küche' ORDER BY seq")
        counts = shell(path, "SELECT device, count(*) AS n FROM readings GROUP BY device ORDER BY device")
    expected = [said("küche", n) for n in range(1500)]
    assert counts == [{"device": "attic", "n": 1500}, {"device": "küche", "n": 1500}]
    assert [row["seq"] for row in rows] == list(range(1, 1501))
    assert [json.loads(row["body"]) for row in rows] == [json.loads(one.body) for one in expected]
    assert [row["ts"] for row in rows] == pytest.approx([one.ts for one in expected], abs=1e-5)
    assert rows[60]["time"] == "2026-01-01T00:01:00.000Z"


@pytest.mark.parametrize("packed", [True, False])
def test_measurements_are_rows_with_a_value_each(path: Path, packed: bool) -> None:
    with opened(path) as it:
        it.put([entry(said("attic", n), arrived=START + n) for n in range(700)])
        if packed:
            it.pack()
        (found,) = shell(
            path,
            "SELECT count(*) AS n, min(value) AS least, max(value) AS greatest, min(ts) AS first FROM measurements"
            " WHERE device = 'attic' AND metric = 'temperature' AND time >= '2026-01-01T00:00:10'",
        )
        (last,) = shell(path, "SELECT * FROM measurements WHERE metric = 'note' ORDER BY seq DESC LIMIT 1")
    assert found == {"n": 592, "least": -2.9, "greatest": 3.99, "first": pytest.approx(START + 10, abs=1e-4)}
    assert (last["seq"], last["value"]) == (694, 'wört "quoted"')


def test_what_was_kept_as_it_is_is_shown_too(path: Path) -> None:
    body = b'{"ts": 1.5, "values": {"n": 1}}'  # not as this gateway writes it
    with opened(path) as it:
        it.put([entry(Reading("a", 1.5, {"n": 1}, body)), entry(Reading("a", 1.5, {"n": 1}, body))])
        it.pack()
        assert shell(path, "SELECT device, seq, ts, metric, value FROM measurements") == [
            {"device": "a", "seq": seq, "ts": 1.5, "metric": "n", "value": 1} for seq in (1, 2)
        ]
