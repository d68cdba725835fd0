from collections.abc import Sequence
from importlib.metadata import EntryPoint

import pytest
from pydantic import Field

from gateway.adapter import Adapter, AdapterConfig, PayloadConfig
from gateway.configuration import Configuration, load
from gateway.errors import ConfigError
from gateway.quantities import ConfigPath
from gateway.registry import GROUP, Registry


class Route(PayloadConfig):
    topic: str = Field(description="what to take")

    @property
    def topic_pattern(self) -> str:
        return self.topic


class BrokerConfig(AdapterConfig):
    host: str = "127.0.0.1"
    port: int = 1883
    ca_file: ConfigPath | None = None
    routes: tuple[Route, ...] = ()

    def payloads(self) -> Sequence[PayloadConfig]:
        return self.routes


class LineConfig(AdapterConfig, PayloadConfig):
    """Reads all its messages in one way."""


class Broker(Adapter[BrokerConfig]):
    Config = BrokerConfig

    def run(self, emit, stop):
        """Do nothing."""


class Line(Adapter[LineConfig]):
    Config = LineConfig

    def run(self, emit, stop):
        """Do nothing."""


TYPES = {"broker": f"{__name__}:Broker", "line": f"{__name__}:Line", "broken": "no_such_module_anywhere:X"}
REGISTRY = Registry(EntryPoint(name, target, GROUP) for name, target in TYPES.items())

ADAPTER = '[[adapters]]\nname = "a"\ntype = "broker"\n'
ROUTE = ADAPTER + '[[adapters.routes]]\ntopic = "sensors/{device}"\n'
LINE = '[[adapters]]\nname = "b"\ntype = "line"\ndevice = "bench"\n'
PROFILE = "[profiles.climate.metrics.temperature]\nmin = -40\n"


@pytest.fixture
def configure(tmp_path):
    def configure(text: str) -> Configuration:
        path = tmp_path / "gateway.toml"
        path.write_text(text)
        return load(path, REGISTRY)

    return configure


@pytest.fixture
def problems(configure, tmp_path):
    def problems(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            configure(text)
        return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]

    return problems


def test_a_metric_in_the_topic_of_a_value(configure):
    assert configure(f'{ADAPTER}[[adapters.routes]]\ntopic = "a/{{device}}/{{metric}}"\ndecode = "value"').adapters


def test_a_whole_configuration(configure, tmp_path):
    found = configure(f'{ROUTE}profile = "climate"\n{LINE}{PROFILE}')
    assert found.path == tmp_path / "gateway.toml"
    assert found.settings.gateway.state_dir == tmp_path / "state"
    [(broker, broker_config), (line, line_config)] = found.adapters
    assert (broker, line) == (Broker, Line)
    assert broker_config.payloads()[0].profile == "climate"
    assert line_config.name == "b"
    assert list(found.profiles) == ["climate"]
    assert found.profiles["climate"].validate({"temperature": 21.5}) == {"temperature": 21.5}


def test_paths_of_an_adapter_are_relative_to_the_file(configure, tmp_path):
    [(_, config)] = configure(f'{ADAPTER}ca_file = "ca.pem"\n').adapters
    assert config.ca_file == tmp_path / "ca.pem"


def test_nothing_is_needed(configure):
    assert configure("").adapters == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f'{ADAPTER}hots = "x"',
            'gateway.toml:4: adapters[0].hots: expected a known key, found an unknown key; did you mean "host"?',
        ),
        (
            f'{ROUTE}decod = "json"',
            (
                "gateway.toml:6: adapters[0].routes[0].decod: expected a known key, found an unknown key; "
                'did you mean "decode"?'
            ),
        ),
        (
            f"{PROFILE}mni = 3",
            (
                "gateway.toml:3: profiles.climate.metrics.temperature.mni: expected a known key, "
                'found an unknown key; did you mean "min"?'
            ),
        ),
        (f'{ADAPTER}port = "abc"', 'gateway.toml:4: adapters[0].port: expected a whole number, found "abc"'),
        (
            f'{ROUTE}decode = "jsn"',
            (
                'gateway.toml:6: adapters[0].routes[0].decode: expected one of "json", "value", "kv", "csv", '
                'found "jsn"; did you mean "json"?'
            ),
        ),
        (
            f"{ROUTE}xyz = 1",
            'gateway.toml:6: adapters[0].routes[0].xyz: expected one of "columns", "decode", ',
        ),
        (
            f"{ADAPTER}[[adapters.routes]]",
            "gateway.toml:4: adapters[0].routes[0].topic: expected a value, found nothing; what to take",
        ),
        (
            f"{ADAPTER}[adapters.routes]",
            (
                "gateway.toml:4: adapters[0].routes: expected a list, found a table; "
                "double brackets, [[…]], begin one of several tables"
            ),
        ),
        (
            ADAPTER + LINE.replace('"b"', '"a"'),
            'gateway.toml:5: adapters[1].name: expected a name of its own, found "a"; line 2 has the same',
        ),
        (
            '[[adapters]]\nname = "a"\ntype = "brokr"',
            (
                'gateway.toml:3: adapters[0].type: expected one of "broken", "broker", "line", found "brokr"; '
                'did you mean "broker"?'
            ),
        ),
        (
            '[[adapters]]\nname = "a"',
            'gateway.toml:1: adapters[0].type: expected one of "broken", "broker", "line", found nothing',
        ),
        (
            '[[adapters]]\nname = "a"\ntype = 5',
            'gateway.toml:3: adapters[0].type: expected one of "broken", "broker", "line", found 5',
        ),
        (
            '[[adapters]]\ntype = "broker"',
            "gateway.toml:1: adapters[0].name: expected a value, found nothing; unique",
        ),
        (
            '[[adapters]]\nname = "a"\ntype = "broken"',
            (
                'gateway.toml:3: adapters[0].type: expected an adapter that works, found "broken"; '
                "no_such_module_anywhere:X can't be imported: ModuleNotFoundError"
            ),
        ),
        (
            f'{ROUTE}profile = "climat"\n{PROFILE}',
            (
                'gateway.toml:6: adapters[0].routes[0].profile: expected one of "climate", found "climat"; '
                'did you mean "climate"?'
            ),
        ),
        (
            f'{LINE}profile = "climate"',
            'gateway.toml:5: adapters[0].profile: expected a table [profiles.climate], found "climate"',
        ),
        (
            f'{ADAPTER}[[adapters.routes]]\ntopic = "a/#/b"',
            'gateway.toml:5: adapters[0].routes[0].topic: expected a possible topic, found "a/#/b"; ',
        ),
        (
            f'{ADAPTER}[[adapters.routes]]\ntopic = "a/{{device}}/{{metric}}"\ndecode = "kv"',
            (
                'gateway.toml:5: adapters[0].routes[0].topic: expected no {metric}, as decode = "kv" names its metrics '
                'itself, found "a/{device}/{metric}"; write + in its place, or decode = "value"'
            ),
        ),
        (
            f'{LINE}decode = "csv"',
            "gateway.toml:1: adapters[0].columns: expected ",
        ),
        (
            LINE.replace("bench", "a/b"),
            'gateway.toml:4: adapters[0].device: expected a valid device, found "a/b"; has one of / + #',
        ),
        (
            f"{PROFILE}max = -50",
            "gateway.toml:2: profiles.climate.metrics.temperature.min: expected at most max, -50, found -40",
        ),
        (
            '[profiles.weather]\nmodel = "no_such_module_anywhere:X"',
            (
                "gateway.toml:2: profiles.weather.model: expected a model that can be used, "
                'found "no_such_module_anywhere:X"; '
            ),
        ),
        ("[profiles]\nclimate = 1", "gateway.toml:2: profiles.climate: expected a table, found 1"),
        ("adapters = [1]", "gateway.toml:1: adapters[0]: expected a table, found 1"),
    ],
)
def test_a_problem_says_all_that_its_author_needs(problems, text, problem):
    [found] = problems(text)
    assert found.startswith(problem)


def test_all_problems_at_once(problems):
    found = problems(
        '[web]\nport = "x"\n'  # 2
        '[[adapters]]\nname = "a"\ntype = "line"\ndevice = "d"\nbaud = 1\nprofile = "none"\n'  # 7, 8
        '[[adapters]]\nname = "a"\ntype = "brokr"\n'  # 10, 11
        "[profiles.x]\nextr = 1\n"  # 13
    )
    assert [problem.split(":")[1] for problem in found] == ["2", "7", "8", "10", "11", "13"]


def test_a_profile_that_has_problems_is_not_missing_too(problems):
    found = problems(f'{LINE}profile = "climate"\n[profiles.climate]\nextr = 1\n')
    assert [problem.split(":")[1] for problem in found] == ["7"]
