import json

import pytest
from click.testing import CliRunner

from gateway.cli import cli

CONFIG = """
[[adapters]]
name = "broker"
type = "mqtt"
[[adapters.routes]]
topic = "sensors/attic"
device = "Attic"
[[adapters.routes]]
topic = "sensors/{device}"
profile = "climate"
[[adapters]]
name = "second"
type = "mqtt"
[[adapters.routes]]
topic = "second/{device}"
[[adapters]]
name = "spare"
type = "mqtt"
enabled = false
[[adapters.routes]]
topic = "#"
device = "spare"
[[adapters]]
name = "bench"
type = "serial"
url = "/dev/null"
decode = "csv"
columns = ["temperature"]
device = "bench"
[profiles.climate.metrics]
temperature = { unit = "°C", scale = 0.1, max = 85 }
"""


@pytest.fixture
def explain(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)

    def explain(*arguments, stdin=None):
        return CliRunner().invoke(cli, ["--config", str(config), "explain", *arguments], input=stdin)

    return explain


def lines(result):
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_every_step_in_words(explain):
    result = explain(
        "--adapter", "broker", "--topic", "sensors/kitchen", "--payload", '{"ts": 1.5, "temperature": 215}'
    )
    assert result.exit_code == 0
    assert lines(result) == [
        "broker (mqtt)",
        "message 31 bytes on sensors/kitchen",
        'route sensors/attic: no, level 2 is "kitchen", the pattern wants "attic"',
        "route sensors/{device}: matches",
        'topic {device} is "kitchen"',
        "decode json: ts = 1.5, temperature = 215",
        "device kitchen, from the topic",
        "time 1970-01-01 00:00:01.500+00:00, from ts = 1.5",
        "profile climate: passes",
        "metric temperature: 215 → 21.5 °C",
        "verdict stored",
        'kitchen {"ts":1.5,"values":{"temperature":21.5}}',
    ]


def test_a_refusal_in_words(explain):
    result = explain("--adapter", "broker", "--topic", "sensors/kitchen", "--payload", '{"temperature": 900}')
    assert result.exit_code == 1
    assert lines(result)[-3:] == [
        "profile climate: refuses",
        "metric temperature: 900",
        "verdict rejected: temperature: expected at most 85, got 90 (scaled from 900)",
    ]


def test_every_source_that_has_topics(explain):
    found = lines(explain("--topic", "second/a", "--payload", '{"x": 1}'))
    assert [line for line in found if line.endswith(")") or "t started)" in line] == [
        "broker (mqtt)",
        "second (mqtt)",
        "spare (mqtt, disabled: it isn't started)",
    ]
    assert "verdict ignored: no route wants it" in found


def test_the_exit_code_says_whether_it_would_be_stored(explain):
    assert explain("--topic", "second/a", "--payload", '{"x": 1}').exit_code == 0
    assert explain("--topic", "second/a", "--payload", "x").exit_code == 1
    only_the_disabled = explain("--topic", "third", "--payload", '{"x": 1}')
    assert (only_the_disabled.exit_code, "verdict stored" in lines(only_the_disabled)) == (1, True)
    assert explain("--topic", "third", "--payload", '{"x": 1}', "--adapter", "spare").exit_code == 0
    assert explain("--adapter", "bench", "--payload", "1\n2\n").exit_code == 0
    assert explain("--adapter", "bench", "--payload", "1\n2,3\n").exit_code == 1
    assert explain("--adapter", "bench", "--payload", "").exit_code == 1


def test_the_steps_for_programs(explain):
    result = explain("--topic", "second/a", "--payload", '{"ts": 2, "x": 1}', "--json")
    found = json.loads(result.stdout)
    assert found["stored"] is True
    assert [source["adapter"] for source in found["sources"]] == ["broker", "second", "spare"]
    (message,) = found["sources"][1]["messages"]
    assert (message["outcome"], message["reason"]) == ("stored", None)
    assert message["stored"] == [{"device": "a", "reading": {"ts": 2.0, "values": {"x": 1}}}]
    assert message["readings"][0]["metrics"] == [{"name": "x", "raw": 1, "value": 1, "unit": "", "label": ""}]


def test_ways_to_give_the_payload(explain, tmp_path):
    file = tmp_path / "payload"
    file.write_bytes(b'{"x": 1}')
    to = ("--adapter", "second", "--topic", "second/a")
    assert explain(*to, "--payload", f"@{file}").exit_code == 0
    assert explain(*to, "--payload", "-", stdin='{"x": 1}\n').exit_code == 0
    assert explain(*to, "--payload-hex", "7b 2278 22 3A 31 7d").exit_code == 0
    assert "not JSON" in explain(*to, "--payload-hex", "7b22ff").stdout


def test_many_readings_are_shown_in_part(explain):
    payload = json.dumps([{"x": n} for n in range(100)])
    found = lines(explain("--adapter", "second", "--topic", "second/a", "--payload", payload))
    assert [line.split(":")[0] for line in found if line.startswith("decode")] == [
        f"decode json of reading {number}" for number in (1, 2, 3, 4, 100)
    ]
    assert found[-1] == "and 95 more readings"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--topic", "a"), "Give the message by --payload or by --payload-hex."),
        (("--topic", "a", "--payload", "1", "--payload-hex", "31"), "Give the message by --payload"),
        (("--payload", "1"), 'Give --topic, --adapter, or both; there are "broker", "second", "spare", "bench".'),
        (("--adapter", "brokr", "--payload", "1"), 'no adapter is called "brokr"; did you mean "broker"?'),
        (("--adapter", "xyz", "--payload", "1"), 'no adapter is called "xyz"; there are "broker", "second"'),
        (("--adapter", "broker", "--payload", "1"), '"broker" has topics: give --topic too.'),
        (("--adapter", "bench", "--topic", "a", "--payload", "1"), '"bench" has no topics: leave --topic out.'),
        (("--topic", "a/+", "--payload", "1"), "a message comes on one topic"),
        (("--topic", "", "--payload", "1"), "a message comes on one topic"),
        (("--topic", "a", "--payload-hex", "abc"), "expected pairs of hexadecimal digits"),
        (("--topic", "a", "--payload", "@/nowhere/at/all"), "/nowhere/at/all: no such file or directory"),
    ],
)
def test_what_is_wrong_with_the_question(explain, arguments, words):
    result = explain(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_configuration_that_can_not_be_used(tmp_path):
    (tmp_path / "gateway.toml").write_text("[web]\nprt = 1\n")
    result = CliRunner().invoke(
        cli, ["--config", str(tmp_path / "gateway.toml"), "explain", "--topic", "a", "--payload", "1"]
    )
    assert (result.exit_code, "expected a known key" in result.stderr) == (78, True)
