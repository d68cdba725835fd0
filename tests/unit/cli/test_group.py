from importlib.metadata import version

import pytest
from click.testing import CliRunner

from gateway.cli import cli


def invoke(*arguments):
    return CliRunner().invoke(cli, arguments, prog_name="gatewayctl")


def test_help_lists_every_command():
    shown = invoke("--help").stdout
    for command in ("check", "config", "demo", "devices", "status", "tail"):
        assert f"\n  {command} " in shown


def test_help_says_each_command_in_one_line():
    assert "..." not in invoke("--help").stdout.split("Commands:")[1]


@pytest.mark.parametrize("command", ["check", "config", "demo", "devices", "status", "tail"])
def test_every_command_has_help(command):
    assert invoke(command, "--help").stdout.startswith(f"Usage: gatewayctl {command}")


def test_version():
    assert invoke("--version").stdout == f"gatewayctl, version {version('telemetry-gateway')}\n"


def test_an_unknown_command():
    result = invoke("statsu")
    assert result.exit_code == 2
    assert "No such command 'statsu'" in result.stderr


def test_the_socket_is_where_the_configuration_puts_it(socket, daemon):
    config = socket.parent / "gateway.toml"
    config.write_text('[gateway]\nstate_dir = "."\n[web]\nprt = 1\n')  # the daemon may run on an older text
    assert invoke("--config", str(config), "status").exit_code == 0


def test_the_default_state_folder_is_beside_the_file(tmp_path):
    (tmp_path / "gateway.toml").touch()
    result = invoke("--config", str(tmp_path / "gateway.toml"), "status")
    assert result.exit_code == 3
    assert f"nobody answers at {tmp_path}/state/control.sock" in result.stderr
    assert f"gatewayd --config {tmp_path}/gateway.toml" in result.stderr


def test_a_configuration_that_does_not_say_where(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text("[gateway]\nstate_dir = 5\n")
    result = invoke("--config", str(config), "status")
    assert (result.exit_code, result.stderr) == (
        78,
        f"{config}:2: gateway.state_dir: expected text in quotes, found 5\n",
    )


def test_no_configuration_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gateway.settings.files.FILES", ())
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)
    assert invoke("status").exit_code == 78
