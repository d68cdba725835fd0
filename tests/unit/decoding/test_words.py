import pytest

from gateway.decoding.words import one_line, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("21,4", '"21,4"'),
        ("a\nb", r'"a\nb"'),
        ("küche", '"küche"'),
        (21.5, "21.5"),
        (True, "true"),
        (None, "null"),
        ([1, {"a": 2}], '[1,{"a":2}]'),
        ({1: 2}, '{"1":2}'),
        (2**70, str(2**70)),
        ("\ud800", r"'\ud800'"),
        (1j, '"1j"'),
    ],
)
def test_shown(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("value", ["x" * 61, "x" * 100_000, "\0" * 100, ["x" * 50] * 9])
def test_shown_is_short(value):
    assert len(shown(value)) == 60
    assert shown(value).endswith("…")


def test_one_line():
    assert one_line("fine: “ü”") == "fine: “ü”"
    assert one_line("a\nb\x00c") == r"a\nb\x00c"
    assert len(one_line("x" * 100_000)) == 500
