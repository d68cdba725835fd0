"""The demo as a newcomer meets it."""

import json
import re
import signal
import socket
import subprocess
import tomllib
import urllib.request

import pytest
from paho.mqtt import publish

from gateway.cli.demo import broker as demo_broker
from gateway.cli.demo.children import Children, DemoFailed
from tests.support.demos import Demo
from tests.support.ports import LOOPBACK, accepts, free_port, wait_until

DEVICES = {"greenhouse", "energy-meter", "soil-bed", "weather-mast"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with Demo(tmp_path_factory.mktemp("demo") / "state") as running:
        running.address = running.wait_ready()
        yield running


def devices(address):
    with urllib.request.urlopen(f"{address}api/v1/devices", timeout=5) as answer:
        return {device["id"]: device for device in json.load(answer)["devices"]}


def test_all_sensors_are_on_the_page_and_move(demo):
    wait_until(lambda: devices(demo.address).keys() >= DEVICES, "all devices")
    first = {name: devices(demo.address)[name]["last"]["seq"] for name in DEVICES - {"soil-bed"}}
    wait_until(lambda: all(devices(demo.address)[n]["last"]["seq"] > seq for n, seq in first.items()), "new readings")


def test_readings_have_units_and_flattened_names(demo):
    wait_until(lambda: devices(demo.address).keys() >= DEVICES, "all devices")
    found = devices(demo.address)
    assert found["greenhouse"]["metrics"]["temperature"]["unit"] == "°C"
    assert found["energy-meter"]["last"]["values"].keys() == {"ENERGY.Power", "ENERGY.Voltage", "ENERGY.Total"}
    assert found["weather-mast"]["last"]["values"].keys() == {"light", "pressure"}


def test_what_one_publishes_oneself_appears(demo):
    port = int(re.search(r"on port (\d+)", demo.output)[1])
    publish.single("sensors/kitchen", '{"temperature": 21.5}', hostname=LOOPBACK, port=port)
    wait_until(lambda: "kitchen" in devices(demo.address), "the kitchen")
    assert devices(demo.address)["kitchen"]["last"]["values"] == {"temperature": 21.5}


def test_the_configuration_is_printed_and_kept(demo):
    kept = (demo.folder / "gateway.toml").read_text()
    assert kept.strip() in demo.output
    assert [adapter["type"] for adapter in tomllib.loads(kept)["adapters"]] == ["mqtt", "serial"]


def test_one_demo_a_folder(demo):
    with Demo(demo.folder) as second:
        assert second.process.wait(30) == 1
        assert "runs in" in second.output


def test_ctrl_c_stops_everything(tmp_path):
    with Demo(tmp_path / "state") as demo:
        address = demo.wait_ready()
        assert len(demo.children) == 3
        assert demo.end(signal.SIGINT) == 0
        demo.wait_alone()
        assert not accepts(int(address.rstrip("/").rpartition(":")[2]))
        assert not (demo.folder / "ttyDEMO").is_symlink()


def test_nothing_is_left_when_it_is_killed(tmp_path):
    with Demo(tmp_path / "state") as demo:
        demo.wait_ready()
        demo.end(signal.SIGKILL)
        demo.wait_alone()


def test_a_taken_port_is_said_and_avoided(tmp_path):
    with socket.create_server((LOOPBACK, free_port())) as taken:
        port = taken.getsockname()[1]
        with Demo(tmp_path / "state", "--duration", "0", port=port) as demo:
            assert demo.wait_ready() != f"http://127.0.0.1:{port}/"
            assert f"Port {port} is taken" in demo.output
            assert demo.process.wait(30) == 0
            demo.wait_alone()


def test_a_child_that_ends_ends_the_demo_with_its_log(tmp_path):
    children = Children(tmp_path)
    try:
        children.start("talker", ["sh", "-c", "echo its last words; exit 3"])
        with pytest.raises(DemoFailed, match=r"(?s)talker ended \(3\).*its last words"):
            wait_until(children.check, "the end of the child")
    finally:
        children.stop()


def test_without_mosquitto_a_broker_from_this_environment(tmp_path):
    with Demo(tmp_path / "state", hidden=("mosquitto", "mosquitto_pub")) as demo:
        address = demo.wait_ready()
        assert "What runs: amqtt" in demo.output
        wait_until(lambda: devices(address).keys() >= DEVICES, "all devices")
        # The command that the demo offers where there is no mosquitto_pub:
        command = re.search(r"watch .kitchen. appear:\n +(.+)\n", demo.output)[1]
        subprocess.run(command, shell=True, check=True, timeout=30)
        wait_until(lambda: "kitchen" in devices(address), "the kitchen")


def test_without_any_broker_it_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_broker.shutil, "which", lambda _name, **_kw: None)
    monkeypatch.setattr(demo_broker, "find_spec", lambda _name: None)
    with pytest.raises(DemoFailed, match="apt-get install mosquitto"):
        demo_broker.start_broker(tmp_path, Children(tmp_path))
