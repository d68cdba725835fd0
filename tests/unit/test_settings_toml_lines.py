import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings.toml_lines import key_lines, nearest_line

TEXT = '''\
# a comment

top = 1
[gateway]
name = """
[not.a.header]
x = 1
"""
dotted.key = true

[[adapters]]
name = "a"
columns = [
    "x",  # with a comment ]
    "y",
]
[[adapters.routes]]
topic = "t"
[[adapters.routes]]
inline = { a = 1, b = { c = 2 } }
[adapters.tls]
"quoted key" = 1
[[adapters]]
[[adapters.routes]]
topic = "u"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 3),
        (("gateway",), 4),
        (("gateway", "name"), 5),
        (("gateway", "dotted"), 9),
        (("gateway", "dotted", "key"), 9),
        (("adapters",), 11),
        (("adapters", 0), 11),
        (("adapters", 0, "columns"), 13),
        (("adapters", 0, "columns", 1), 13),
        (("adapters", 0, "routes", 0, "topic"), 18),
        (("adapters", 0, "routes", 1), 19),
        (("adapters", 0, "routes", 1, "inline", "b", "c"), 20),
        (("adapters", 0, "tls", "quoted key"), 22),
        (("adapters", 1), 23),
        (("adapters", 1, "name"), 23),
        (("adapters", 1, "routes", 0, "topic"), 25),
        (("nowhere",), None),
    ],
)
def test_line_of_a_key(path, line):
    assert nearest_line(key_lines(TEXT), path) == line


def test_windows_line_ends():
    assert key_lines("[a]\r\nb = 1\r\nc = [\r\n1]\r\nd = 2\r\n") == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "d"): 5,
    }


def test_line_separators_of_unicode_end_no_line():
    assert key_lines('a = "x\u2028y\x85z"\nb = 1\n') == {("a",): 1, ("b",): 2}


KEYS = st.text("abc", min_size=1, max_size=3)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, st.integers()), max_size=5), st.lists(st.integers(0, 3), max_size=5))
def test_every_key_is_on_its_line(tables, blanks):
    text = ""
    expected = {}
    for index, (name, table) in enumerate(tables.items()):
        text += "\n" * (blanks[index] if index < len(blanks) else 0) + f"[{name}]\n"
        expected[name,] = text.count("\n")
        for key, value in table.items():
            text += f"{key} = {value}\n"
            expected[name, key] = text.count("\n")
    assert tomllib.loads(text) == tables
    assert key_lines(text) == expected
