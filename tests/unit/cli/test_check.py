import pytest
from click.testing import CliRunner

from gateway.cli import cli


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)
    return tmp_path / "gateway.toml"


def check(*arguments):
    return CliRunner().invoke(cli, arguments)


GOOD = '[[adapters]]\nname = "a"\ntype = "simulator"\n[profiles.x]\n[profiles.y]\n'


def test_a_good_one(config):
    config.write_text(GOOD)
    result = check("check")
    assert (result.exit_code, result.stdout) == (0, "gateway.toml: 1 adapter, 2 profiles: OK\n")


@pytest.mark.parametrize("arguments", [("check", "other.toml"), ("--config", "other.toml", "check")])
def test_another_file(config, arguments):
    config.with_name("other.toml").write_text(GOOD)
    assert check(*arguments).stdout == "other.toml: 1 adapter, 2 profiles: OK\n"


def test_each_problem_on_a_line_of_its_own(config):
    config.write_text('[web]\nprt = 1\n[[adapters]]\nname = "a"\ntype = "simulatr"\n')
    result = check("check")
    assert (result.exit_code, result.stdout) == (78, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("gateway.toml:2: web.prt: expected a known key")
    assert second.startswith("gateway.toml:5: adapters[0].type: expected one of")


def test_a_missing_file(config):
    result = check("check")
    assert result.exit_code == 78
    assert "gatewayctl config sample" in result.stderr
