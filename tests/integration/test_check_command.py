"""``gatewayctl check`` as its user meets it: the real program, the real adapters, the real files."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "config" / "examples").glob("*.toml"))

MQTT = '[[adapters]]\nname = "broker"\ntype = "mqtt"\n'
ROUTE = f'{MQTT}[[adapters.routes]]\ntopic = "sensors/{{device}}"\n'
SERIAL = '[[adapters]]\nname = "bench"\ntype = "serial"\nurl = "/dev/ttyUSB0"\ndevice = "bench"\n'
PROFILE = "[profiles.climate.metrics.temperature]\nmin = -40\n"


def check(path: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from gateway.cli import main; main()", "check", str(path)]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("path", [ROOT / "gateway.toml", *EXAMPLES], ids=lambda path: path.name)
def test_what_comes_with_the_project_can_be_used(path):
    done = check(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(": OK\n")


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


PROBLEMS = {
    "unknown key": (
        f"{SERIAL}baudrat = 9600\n",
        "6: adapters[0].baudrat",
        ('expected a known key, found an unknown key; did you mean "baudrate"?',),
    ),
    "unknown key in a route": (
        f"{ROUTE}qso = 1\n",
        "6: adapters[0].routes[0].qso",
        ('expected a known key, found an unknown key; did you mean "qos"?',),
    ),
    "unknown key in a profile": (
        f"{PROFILE}lable = 'x'\n",
        "3: profiles.climate.metrics.temperature.lable",
        ('expected a known key, found an unknown key; did you mean "label"?',),
    ),
    "wrong type": (
        f'{SERIAL}baudrate = "abc"\n',
        "6: adapters[0].baudrate",
        ('expected a whole number, found "abc"',),
    ),
    "duplicate adapter name": (
        SERIAL + SERIAL,
        "7: adapters[1].name",
        ('expected a name of its own, found "bench"; line 2 has the same',),
    ),
    "unknown adapter type": (
        '[[adapters]]\nname = "a"\ntype = "mqt"\n',
        "3: adapters[0].type",
        ('expected one of "mqtt", "serial", "simulator"', 'found "mqt"; did you mean "mqtt"?'),
    ),
    "missing profile": (
        f'{ROUTE}profile = "climat"\n{PROFILE}',
        "6: adapters[0].routes[0].profile",
        ('expected one of "climate", found "climat"; did you mean "climate"?',),
    ),
    "impossible route": (
        ROUTE.replace("sensors", "a/#"),
        "5: adapters[0].routes[0].topic",
        ('expected a valid topic, found "a/#/{device}"', "# stands for the rest and can only come last"),
    ),
    "route without a device": (
        ROUTE.replace("{device}", "+"),
        "4: adapters[0].routes[0].device",
        ("expected {device} in the topic, or one of device and device_key, found nothing",),
    ),
    "no routes": (f"{MQTT}routes = []\n", "4: adapters[0].routes", ("expected at least 1 entry, found",)),
    "not TOML": (
        "[web]\nhost = 0.0.0.0\n",
        "2: column",
        ('expected TOML, found "host = 0.0.0.0"', "text goes in quotes"),
    ),
    "open to the network": (
        '[web]\nhost = "0.0.0.0"\n',
        "2: web.host",
        ('expected "127.0.0.1", "::1" or "localhost", found "0.0.0.0"', "ssh -L 8080:127.0.0.1:8080"),
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_has_line_key_expectation_finding_and_suggestion(tmp_path, name):
    text, start, parts = PROBLEMS[name]
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    done = check(path)
    assert (done.returncode, done.stdout) == (78, "")
    [problem] = done.stderr.splitlines()
    assert problem.startswith(f"{path}:{start}")
    for part in parts:
        assert part in problem
