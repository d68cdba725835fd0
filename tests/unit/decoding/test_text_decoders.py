"""``value``, ``kv`` and ``csv``: what they have in common is tested in test_numbers."""

import pytest

from gateway.decoding import make_decoder
from gateway.errors import Rejected

COLUMNS = ("temperature", "", "door", "note")


def decode(name, payload, **options):
    (fields,) = make_decoder(name, **options)(payload)
    return fields


def reason(name, payload, **options):
    with pytest.raises(Rejected) as caught:
        make_decoder(name, **options)(payload)
    return caught.value.reason


@pytest.mark.parametrize(
    ("payload", "value"), [(b"21.5", 21.5), (b" 7 \r\n", 7), (b"TRUE", True), (b"on", "on"), ("grün".encode(), "grün")]
)
def test_value(payload, value):
    assert decode("value", payload) == {"value": value}


def test_value_takes_the_name_of_the_metric():
    assert decode("value", b"1", metric="power") == {"power": 1}
    assert reason("value", b"nan", metric="power") == 'power: expected a finite number, got "nan"'


@pytest.mark.parametrize("payload", [b"", b" ", b"\r\n"])
def test_value_of_nothing_is_rejected(payload):
    assert reason("value", payload) == "no values"


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"a=1 b=2", {"a": 1, "b": 2}),
        (b"a=1,b=2.5, c=on ,\td=true\r\n", {"a": 1, "b": 2.5, "c": "on", "d": True}),
        (b'a="two words" b="say \\"hi\\" \\\\" c="1"', {"a": "two words", "b": 'say "hi" \\', "c": "1"}),
        (b'a="x, y=z",b=1', {"a": "x, y=z", "b": 1}),
        (b"a= b=1", {"b": 1}),
        (b'a=""', {"a": ""}),
        (b"url=http://x?y=z", {"url": "http://x?y=z"}),
        (b"a.b=1", {"a.b": 1}),
        (b"a=1,", {"a": 1}),
        (b"", {}),
        ("t=21°C".encode(), {"t": "21°C"}),
    ],
)
def test_kv(payload, fields):
    assert decode("kv", payload) == fields


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b"hello", '"hello"'),
        (b"a=1 b", '"b"'),
        (b"t=21,4", '"4"'),
        (b"=1", '"=1"'),
        (b",a=1", '",a=1"'),
        (b'a="open', r'"a=\"open"'),
        (b'a="x"y b=1', r'"a=\"x\"y b=1"'),
        (b'a=x"y"', r'"a=x\"y\""'),
        (b"a =1", '"a =1"'),
    ],
)
def test_kv_says_where_it_stopped(payload, found):
    assert reason("kv", payload) == f"expected name=value, got {found}"


def test_kv_rejects_a_name_that_is_there_twice():
    assert reason("kv", b"a=1 a=2") == '"a": is there twice'
    assert reason("kv", b"a= a=2") == '"a": is there twice'


@pytest.mark.parametrize(
    "payload",
    [b'a="' + b"\\" * 500_000, b'a="' * 200_000, b"a" * 1_000_000, b"a=1 " * 200_000, b"a=" + b'x"' * 400_000],
)
def test_kv_takes_time_in_proportion_to_the_payload(payload):
    # Were it quadratic, this would run for minutes.
    reason("kv", payload)


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"21.5,x,true,hello\r\n", {"temperature": 21.5, "door": True, "note": "hello"}),
        (b"21.5, , FALSE ,", {"temperature": 21.5, "door": False}),
        (b'21.5,,,"a, ""b"" c"', {"temperature": 21.5, "note": 'a, "b" c'}),
        (b",,,", {}),
        (b'"21.5",,,', {"temperature": 21.5}),
        (b'1,,,"a\nb"', {"temperature": 1, "note": "a\nb"}),
    ],
)
def test_csv(payload, fields):
    assert decode("csv", payload, columns=COLUMNS) == fields


@pytest.mark.parametrize(("payload", "count"), [(b"", 0), (b"21.5", 1), (b"1,2,3,4,5", 5)])
def test_csv_with_another_number_of_cells_is_rejected(payload, count):
    assert reason("csv", payload, columns=COLUMNS) == f"expected 4 cells (temperature, , door, note), got {count}"


@pytest.mark.parametrize("payload", [b'1,2,3,"x', b'1,2,3,"x"y', b"1,2,3,4\n5,6,7,8", b"x" * 200_000])
def test_csv_that_is_none_is_rejected(payload):
    assert reason("csv", payload, columns=COLUMNS).startswith("not a row of CSV: ")


def test_csv_names_the_column():
    assert reason("csv", b"1,2,3,-inf", columns=COLUMNS) == 'note: expected a finite number, got "-inf"'


@pytest.mark.parametrize(
    ("name", "payload", "options"),
    [
        ("kv", b"id=24e512345678", {}),
        ("csv", b"24e512345678", {"columns": ("id",)}),
        ("value", b"24e512345678", {"metric": "id"}),
    ],
)
def test_a_verbatim_field_stays_text(name, payload, options):
    assert decode(name, payload, verbatim=frozenset({"id"}), **options) == {"id": "24e512345678"}


@pytest.mark.parametrize("name", ["value", "kv", "csv"])
def test_text_is_utf8(name):
    assert reason(name, b"a=\xff", columns=("a",)) == "not UTF-8: byte 0xff at 2"


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="two columns have one name"):
        make_decoder("csv", columns=("a", "", "", "a"))
    with pytest.raises(ValueError, match="no decoder 'xml', there are json, value, kv, csv"):
        make_decoder("xml")
