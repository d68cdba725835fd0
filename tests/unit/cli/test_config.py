import itertools
import json
import re
import tomllib

import pytest
from click.testing import CliRunner
from pydantic import Field

from gateway.adapter import Adapter, AdapterConfig
from gateway.cli import cli, sample, schema
from gateway.configuration import load
from gateway.errors import ConfigError
from gateway.registry import GROUP, EntryPoint, Registry
from gateway.settings import Settings


class Undescribable:
    """A type that JSON doesn't have."""


class OddConfig(AdapterConfig, arbitrary_types_allowed=True):
    odd: Undescribable = Field(default_factory=Undescribable)


class Odd(Adapter[OddConfig]):
    Config = OddConfig

    def run(self, emit, stop):
        """Do nothing."""


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["config", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def sample_text() -> str:
    return printed("sample")


@pytest.fixture(scope="module")
def described() -> dict:
    return json.loads(printed("schema"))


def uncommented(text: str) -> str:
    return re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)


def test_the_sample_can_be_used_as_it_is(sample_text, tmp_path):
    (tmp_path / "gateway.toml").write_text(sample_text)
    found = load(tmp_path / "gateway.toml")
    assert [config.type for _, config in found.adapters] == ["simulator"]
    assert found.settings.web == Settings().web
    assert found.settings.journal == Settings().journal


def test_the_one_for_the_service_has_no_source_and_its_own_folder_and_else_says_the_same(sample_text, tmp_path):
    text = printed("sample", "--service")
    (tmp_path / "gateway.toml").write_text(text)
    found = load(tmp_path / "gateway.toml")
    assert (found.adapters, str(found.settings.gateway.state_dir)) == ((), "/var/lib/telemetry-gateway")
    assert "/usr/share/doc/telemetry-gateway/examples/" in text
    everything, here = tomllib.loads(uncommented(sample_text)), tomllib.loads(uncommented(text))
    assert here.pop("gateway") == everything.pop("gateway") | {"state_dir": "/var/lib/telemetry-gateway"}
    assert here == everything


def test_the_sample_has_every_table(sample_text):
    everything = tomllib.loads(uncommented(sample_text))
    assert set(everything) == set(Settings.model_fields)
    assert {table["type"] for table in everything["adapters"]} >= {"mqtt", "serial", "simulator"}


def test_the_sample_has_every_key(sample_text, described):
    everything = tomllib.loads(uncommented(sample_text))
    metric = everything["profiles"]["climate"]["metrics"]["temperature"]
    assert set(metric) == set(described["$defs"]["MetricConfig"]["properties"])
    for table in everything["adapters"]:
        assert set(table) == set(described["$defs"][f"adapter-{table['type']}"]["properties"])


def test_what_the_sample_shows_is_known_and_of_the_right_type(sample_text, tmp_path):
    (tmp_path / "gateway.toml").write_text(uncommented(sample_text))
    with pytest.raises(ConfigError) as caught:  # not everything goes together: columns and JSON
        load(tmp_path / "gateway.toml")
    assert "unknown key" not in str(caught.value)
    assert not [problem for problem in caught.value.problems if problem.expected in ("a whole number", "a number")]


def test_each_key_in_the_sample_is_explained(sample_text):
    lines = sample_text.splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"#?[a-z_]+ = ", line):
            assert before.startswith("# "), line


def test_both_are_the_same_each_time():
    assert printed("sample") == printed("sample")
    assert printed("schema") == printed("schema")


def test_the_schema_refers_to_nothing_that_is_missing(described):
    for name in re.findall(r'"\$ref": "#/\$defs/([^"]*)"', json.dumps(described)):
        assert name in described["$defs"]


def test_the_schema_tells_adapters_apart_by_type(described):
    branches = described["properties"]["adapters"]["items"]["oneOf"]
    found = [schema.resolve(described, branch)["properties"]["type"]["const"] for branch in branches]
    assert found == sorted(found)
    assert set(found) >= {"mqtt", "serial", "simulator"}


def test_the_schema_knows_no_null_and_no_other_keys(described):
    assert "null" not in json.dumps(described)
    assert described["additionalProperties"] is False


def test_quantities_are_text(described):
    retention = described["$defs"]["JournalSettings"]["properties"]["retention"]
    assert (retention["type"], retention["default"]) == ("string", "30d")
    assert "gt" not in retention


def test_adapters_that_can_not_be_described_are_left_out():
    entries = [EntryPoint("odd", f"{__name__}:Odd", GROUP), EntryPoint("broken", "no_such_module:X", GROUP)]
    found = schema.build(Registry(entries))
    assert found["properties"]["adapters"]["items"] == {"oneOf": []}
    assert "[[adapters]]" not in sample.build(found)
