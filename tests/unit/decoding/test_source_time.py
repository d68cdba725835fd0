import pytest

from gateway.decoding.source_time import source_time
from gateway.errors import Rejected


@pytest.mark.parametrize(
    "value",
    [
        1767225600.25,
        1767225600250,
        1767225600250000,
        1767225600250000000,
        "2026-01-01T00:00:00.25Z",
        "2026-01-01t00:00:00.250z",
        "2026-01-01 00:00:00.25+00:00",
        "2026-01-01T01:00:00,25+01:00",
        "20260101T000000.25Z",
        "2026-W01-4T00:00:00.25Z",
    ],
)
def test_one_moment_written_in_many_ways(value):
    assert source_time("ts", value) == 1767225600.25


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0),
        (99_999_999_999, 99_999_999_999.0),
        (100_000_000_000, 100_000_000.0),
        (99_999_999_999_999, 99_999_999_999.999),
        (100_000_000_000_000, 100_000_000.0),
        (100_000_000_000_000_000, 100_000_000.0),
        ("1970-01-01", 0.0),
    ],
)
def test_magnitudes(value, seconds):
    assert source_time("ts", value) == seconds
    assert type(source_time("ts", value)) is float


def test_without_an_offset_it_is_utc(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    assert source_time("Time", "2026-01-01T00:00:00") == 1767225600.0


@pytest.mark.parametrize(
    "value",
    [
        *(True, 1e20, 10**20, 10**400, float("nan"), float("inf")),
        *("", "now", "12:00", "1767225600", "2" * 300),
        *("2026-13-01T00:00:00Z", "2026-01-01x00:00:00", "2026-01-01T00:00:00٣"),
    ],
)
def test_anything_else_is_rejected_with_the_fields_name(value):
    with pytest.raises(Rejected) as caught:
        source_time("when", value)
    assert caught.value.reason.startswith("when: expected Unix time or ISO 8601, got ")


@pytest.mark.parametrize("value", [-1, -1e12, "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_before_1970_is_rejected(value):
    with pytest.raises(Rejected, match="expected a time after 1970"):
        source_time("ts", value)
