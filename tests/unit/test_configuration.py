from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from gateway.adapter import Adapter, AdapterConfig, PayloadConfig
from gateway.configuration import Configuration, load
from gateway.errors import ConfigError
from gateway.quantities import ConfigPath
from gateway.registry import GROUP, Registry
from gateway.settings import control_socket


class Route(PayloadConfig):
    topic: str = Field(description="what to take")

    @property
    def topic_pattern(self) -> str:
        return self.topic


class BrokerConfig(AdapterConfig):
    host: str = "127.0.0.1"
    port: int = 1883
    ca_file: ConfigPath | None = None
    secret_file: ConfigPath | None = None
    password: SecretStr | None = None
    pin: SecretStr | None = Field(None, max_length=8)
    url: str = ""
    routes: tuple[Route, ...] = ()

    def payloads(self) -> Sequence[PayloadConfig]:
        return self.routes

    def secret_files(self) -> Mapping[str, Path]:
        return {"secret_file": self.secret_file} if self.secret_file else {}


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
            f'{ADAPTER}topic = "a/b"',
            (
                'gateway.toml:4: adapters[0].topic: expected one of "ca_file", "enabled", "host", "name", "password", '
                '"pin", "port", "routes", "secret_file", "stall_after", "type", "url", found an unknown key; '
                '"routes" has one of this name'
            ),
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


# ---- conf.d


@pytest.fixture
def add(tmp_path):
    def add(name: str, text: str) -> None:
        (tmp_path / "conf.d").mkdir(exist_ok=True)
        (tmp_path / "conf.d" / name).write_text(text)

    return add


def test_conf_d_adds_adapters_and_profiles_in_its_order(configure, add):
    add("20-b.toml", LINE)
    add("10-c.toml", ADAPTER.replace('"a"', '"c"') + '[[adapters.routes]]\ntopic = "x/{device}"\nprofile = "climate"\n')
    add("30.toml", PROFILE)
    add("40.toml.dpkg-old", "no TOML")
    add(".hidden.toml", "no TOML")
    found = configure(ROUTE + "[profiles.other]\n")
    assert [config.name for _, config in found.adapters] == ["a", "c", "b"]
    assert set(found.profiles) == {"climate", "other"}
    assert [path.name for path in found.added] == ["10-c.toml", "20-b.toml", "30.toml"]


def test_problems_in_conf_d_name_its_file_and_line(problems, add):
    add("10.toml", "\n" + ADAPTER + "prot = 1\n" + LINE + 'profile = "climat"\n')
    add("20.toml", PROFILE.replace("-40", "true"))
    assert problems(ADAPTER.replace('"a"', '"m"') + "port = true\n") == [
        "gateway.toml:4: adapters[0].port: expected a whole number, found true",
        'conf.d/10.toml:5: adapters[0].prot: expected a known key, found an unknown key; did you mean "port"?',
        'conf.d/10.toml:10: adapters[1].profile: expected one of "climate", found "climat"; did you mean "climate"?',
        "conf.d/20.toml:2: profiles.climate.metrics.temperature.min: expected a number, found true",
    ]


def test_a_name_twice_is_told_with_both_places(problems, add, tmp_path):
    add("10.toml", ADAPTER + PROFILE)
    add("20.toml", "\n" + PROFILE)
    own = "expected a name of its own"
    assert problems(ADAPTER) == [
        f'conf.d/10.toml:2: adapters[0].name: {own}, found "a"; {tmp_path}/gateway.toml:2 has the same',
        f'conf.d/20.toml:2: profiles.climate: {own}, found "climate"; {tmp_path}/conf.d/10.toml:4 has the same',
    ]


def test_conf_d_has_nothing_else(problems, add):
    add("10.toml", "[web]\nport = 1\n[[adapter]]\nname = 'x'\n")
    add("20.toml", "adapters = 3\n[[profiles]]\n")
    only = "expected only [[adapters]] and [profiles.NAME] in a file of conf.d"
    assert problems("") == [
        f'conf.d/10.toml:1: web: {only}, found "web"; all else belongs into the main file',
        f'conf.d/10.toml:3: adapter: {only}, found "adapter"; did you mean "adapters"?',
        "conf.d/20.toml:1: adapters: expected [[adapters]] tables, found 3",
        "conf.d/20.toml:2: profiles: expected [profiles.NAME] tables, found [a table]",
    ]


def test_every_file_that_is_no_toml_is_named(problems, add):
    add("10.toml", "=")
    add("20.toml", "[")
    assert [problem.partition(": ")[0] for problem in problems("x")] == [
        "gateway.toml:1",
        "conf.d/10.toml:1",
        "conf.d/20.toml:1",
    ]


def test_a_relative_path_is_relative_to_its_file(configure, add, tmp_path):
    add("10.toml", ADAPTER + 'ca_file = "ca.pem"\n')
    ((_, config),) = configure("").adapters
    assert config.ca_file == tmp_path / "conf.d" / "ca.pem"


# ---- secrets


@pytest.fixture
def readable(tmp_path):
    """Make files as readable as this says."""

    def readable(mode: int, *names: str) -> None:
        for name in names:
            (tmp_path / name).touch()
            (tmp_path / name).chmod(mode)

    return readable


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_a_secret_that_everybody_can_read_is_warned_of(configure, readable, tmp_path, mode, warned):
    readable(mode, "pw", "gateway.toml")
    found = configure(ADAPTER + 'secret_file = "pw"\npassword = "hunter22"\nurl = "socket://a:b@c"\n').warnings
    if not warned:
        assert found == ()
        return
    in_file, in_password, in_url = found
    path = f"{tmp_path}/gateway.toml"
    assert in_file == (
        f"{path}:4: adapters[0].secret_file: every user of this machine can read {tmp_path}/pw; chmod o= {tmp_path}/pw"
    )
    assert in_password.startswith(f"{path}:5: adapters[0].password: every user of this machine can read this file")
    assert in_url.startswith(f"{path}:6: adapters[0].url: every user of this machine can read this file")
    assert not any("hunter22" in warning for warning in found)


def test_a_reference_in_a_file_that_everybody_can_read_is_no_secret(configure, readable, monkeypatch):
    monkeypatch.setenv("PW", "hunter22")
    readable(0o644, "gateway.toml")
    found = configure(ADAPTER + 'password = "${PW}"\nurl = "socket://a:${PW}@c"\n')
    assert found.warnings == ()
    ((_, config),) = found.adapters
    assert config.password.get_secret_value() == "hunter22"
    assert config.url == "socket://a:hunter22@c"
    assert found.secrets.hide("hunter22") == "…", (
        "of a field that is a secret by its type not even the reference counts"
    )


def test_a_variable_that_is_not_set_is_told_once_with_its_line(problems):
    (problem,) = problems(ADAPTER + 'host = "a"\nstall_after = "${NOBODY_SET_THIS}"\n')
    assert problem.startswith("gateway.toml:5: adapters[0].stall_after: expected a variable that is set, found ")
    assert problem.endswith('"${NOBODY_SET_THIS}"; the environment has no NOBODY_SET_THIS')


def test_names_are_compared_as_they_are_in_the_end(problems, monkeypatch):
    monkeypatch.setenv("NAME", "a")
    (problem,) = problems(ADAPTER + ADAPTER.replace('"a"', '"${NAME}"'))
    assert "a name of its own" in problem


@pytest.mark.parametrize(
    "wrong",
    [
        "password = hunter22",
        'password = "hunter22',
        "password = 'hunter22' 'hunter22'",
        'stall_after = "${PW}"',
        'port = "${PW}"',
        'url = "socket://a:hunter22@b c"\nurl_must_be_short = 1',
        'password = ["hunter22"]',
        "password = 477302722",
        "pin = 477302722",
        'pin = "hunter22 is too long"',
    ],
)
def test_no_problem_shows_a_secret(problems, monkeypatch, wrong):
    monkeypatch.setenv("PW", "hunter22")
    text = "".join(problems(f"{ADAPTER}{wrong}\n"))
    assert "hunter22" not in text
    assert "477302722" not in text


def test_the_socket_is_found_where_the_service_s_secrets_are_unknown(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(ADAPTER + 'password = "${credential:x}"\nhost = "${NOBODY_SET_THIS}"\n')
    assert control_socket(path) == tmp_path / "state" / "control.sock"
    path.write_text('[gateway]\nstate_dir = "${NOBODY_SET_THIS}"\n')
    with pytest.raises(ConfigError, match="a variable that is set"):
        control_socket(path)


def test_a_file_of_a_newer_gateway_is_refused_and_nothing_else_of_it_is_judged(tmp_path):
    (tmp_path / "gateway.toml").write_text("# mine\nversion = 2\n[gateway]\nunheard_of = 1\n[plugins]\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "gateway.toml", Registry([]))
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{tmp_path}/gateway.toml:2: version: expected at most 1, found 2; ")


@pytest.mark.parametrize("version", ["0", "true", '"1"', "1.0"])
def test_a_version_is_a_number_that_there_was(version, tmp_path):
    (tmp_path / "gateway.toml").write_text(f"version = {version}")
    with pytest.raises(ConfigError, match=r"gateway\.toml:1: version: expected "):
        load(tmp_path / "gateway.toml", Registry([]))


def test_a_version_is_not_needed_and_belongs_into_the_main_file(tmp_path):
    (tmp_path / "gateway.toml").write_text("version = 1")
    assert load(tmp_path / "gateway.toml", Registry([])).settings.version == 1
    (tmp_path / "gateway.toml").write_text("")
    assert load(tmp_path / "gateway.toml", Registry([])).settings.version == 1
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").write_text("version = 1")
    with pytest.raises(ConfigError, match=r"a\.toml:1: version: "):
        load(tmp_path / "gateway.toml", Registry([]))
