import pytest
from pydantic import BaseModel, ValidationError

from gateway.quantities import Duration, Size, duration_s, size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("2min", 120), ("12h", 43200), ("30d", 2_592_000), (" 1 w ", 604_800)],
)
def test_durations(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("512MiB", 512 * 2**20), ("1GB", 10**9), ("1GiB", 2**30), ("1.5KiB", 1536), ("10kB", 10_000), ("7B", 7), (7, 7)],
)
def test_sizes(text, size):
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["30", 30, "", "s", "-1s", "1e3s", "1 fortnight", "1s1s", "٣s", True, None, ["1s"]])
def test_what_is_no_duration_is_refused_in_words(text):
    with pytest.raises(ValueError, match='expected a duration such as "30s" or "12h"'):
        duration_s(text)


@pytest.mark.parametrize("text", ["", "1 GG", "-1B", "1gib", True, None])
def test_what_is_no_size_is_refused_in_words(text):
    with pytest.raises(ValueError, match='expected a size such as "512MiB" or "1GB"'):
        size_bytes(text)


def test_units_are_named():
    with pytest.raises(ValueError, match="units: ms, s, m, min, h, d, w"):
        duration_s("1 year")


class Table(BaseModel):
    wait: Duration = 1.0
    room: Size = 1


def test_in_a_model_they_are_text_above_zero():
    assert Table.model_validate({"wait": "2s", "room": "1KiB"}) == Table.model_construct(wait=2.0, room=1024)
    assert Table.model_json_schema()["properties"]["wait"]["type"] == "string"
    with pytest.raises(ValidationError):
        Table.model_validate({"wait": "0s"})
    with pytest.raises(ValidationError):
        Table.model_validate({"room": 0})
