import socket
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.settings import Document, Part, Settings, find_config
from gateway.settings.expectations import expected_by


def read(text: str, path: Path = Path("gateway.toml")) -> Settings:
    document = Document(Part(path, text))
    settings = document.check(Settings)
    document.finish()
    assert settings is not None
    return settings


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_defaults():
    settings = read("")
    assert settings.gateway.name == socket.gethostname()
    assert (settings.web.host, settings.web.port, settings.web.allowed_origins) == ("127.0.0.1", 8080, ())
    assert (settings.journal.retention, settings.journal.max_size) == (30 * 86400, 1 << 30)
    assert settings.journal.durability == "process"


def test_everything_written():
    settings = read("""
        [gateway]
        name = "greenhouse"
        state_dir = "/var/lib/gateway"
        [web]
        host = "::1"
        port = 0
        allowed_origins = ["https://example.org:8443"]
        [journal]
        retention = "12h"
        max_size = "512MiB"
        durability = "power"
        [[adapters]]
        anything = { at = "all" }
        [profiles.climate]
        whatever = 1
    """)
    assert settings.gateway.name == "greenhouse"
    assert settings.gateway.control_socket == Path("/var/lib/gateway/control.sock")
    assert settings.web.allowed_origins == ("https://example.org:8443",)
    assert (settings.journal.retention, settings.journal.max_size) == (43200, 512 << 20)
    assert settings.adapters == ({"anything": {"at": "all"}},)
    assert settings.profiles == {"climate": {"whatever": 1}}


@pytest.mark.parametrize("text", ["", '[gateway]\nstate_dir = "state"'])
def test_state_dir_is_relative_to_the_file(text, tmp_path):
    assert read(text, tmp_path / "gateway.toml").gateway.state_dir == tmp_path / "state"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[gateway]\nnam = "x"',
            'gateway.toml:2: gateway.nam: expected a known key, found an unknown key; did you mean "name"?',
        ),
        (
            "[web]\nxyz = 1",
            (
                'gateway.toml:2: web.xyz: expected one of "allowed_origins", "host", "max_clients", '
                '"max_clients_per_address", "port", "trusted_proxies", found an unknown key'
            ),
        ),
        (
            "\n[jornal]\n",
            'gateway.toml:2: jornal: expected a known key, found an unknown key; did you mean "journal"?',
        ),
        (
            'port = 8080\n[gateway]\nname = "x"',
            (
                'gateway.toml:1: port: expected one of "adapters", "gateway", "journal", "profiles", "version", "web", '
                'found an unknown key; "web" has one of this name'
            ),
        ),
        ('[web]\nport = "abc"', 'gateway.toml:2: web.port: expected a whole number, found "abc"'),
        ('[web]\nport = "8080"', 'gateway.toml:2: web.port: expected a whole number, found "8080"'),
        ("[web]\nport = 8080.5", "gateway.toml:2: web.port: expected a whole number, found 8080.5"),
        ("[web]\nport = true", "gateway.toml:2: web.port: expected a whole number, found true"),
        ("[web]\nport = 65536", "gateway.toml:2: web.port: expected at most 65535, found 65536"),
        ("[web]\nport = -1", "gateway.toml:2: web.port: expected at least 0, found -1"),
        ("[gateway]\nname = 5", "gateway.toml:2: gateway.name: expected text in quotes, found 5"),
        ('[gateway]\nname = ""', 'gateway.toml:2: gateway.name: expected text of at least 1 character, found ""'),
        ("web = 1", "gateway.toml:1: web: expected a table, found 1"),
        ("[[web]]", "gateway.toml:1: web: expected a table, found [a table]"),
        (
            "[adapters]\nname = 1",
            (
                "gateway.toml:1: adapters: expected a list, found a table; "
                "double brackets, [[…]], begin one of several tables"
            ),
        ),
        (
            '[journal]\ndurability = "pwer"',
            (
                'gateway.toml:2: journal.durability: expected one of "process", "power", found "pwer"; '
                'did you mean "power"?'
            ),
        ),
        (
            "[journal]\nretention = 30",
            (
                'gateway.toml:2: journal.retention: expected a duration such as "30s" or "12h", found 30; '
                "units: ms, s, m, min, h, d, w"
            ),
        ),
        (
            '[web]\nallowed_origins = ["https://a/b"]',
            (
                "gateway.toml:2: web.allowed_origins[0]: expected scheme, host and port of a page, "
                'such as "https://example.org", found "https://a/b"'
            ),
        ),
    ],
)
def test_a_problem_says_all_that_its_author_needs(text, problem):
    assert problems(text) == [problem]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "pi.local", ""])
def test_only_loopback_is_served(host):
    [problem] = problems(f'[web]\nhost = "{host}"')
    assert problem.startswith('gateway.toml:2: web.host: expected "127.0.0.1", "::1" or "localhost", found')
    assert "ssh -L 8080:127.0.0.1:8080 pi" in problem


def test_all_problems_at_once_in_the_order_of_the_file():
    found = problems('[journal]\nretention = "x"\n[web]\nprt = 1\nhost = 5\n[gateway]\nname = false\n')
    assert [problem.split(":")[1] for problem in found] == ["2", "4", "5", "7"]


def test_what_is_found_is_shown_safely():
    [problem] = problems('[journal]\ndurability = "\\u001b[31m\\u009b\\u202e' + "x" * 500 + '"')
    assert problem.isprintable()
    assert len(problem) < 250


def test_an_odd_key_is_shown_in_quotes():
    [problem] = problems('[web]\n"a.b \\u001b" = 1')
    assert problem.startswith('gateway.toml:2: web."a.b \\u001b": expected')


def failure(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        Document.read(path)
    [problem] = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("[web]\nhost = 127.0.0.1\n", 2, "text goes in quotes"),
        ("[web]\nhost = localhost\n", 2, "text goes in quotes"),
        ("[a]\nmax = 85,5\n", 2, "a decimal point"),
        ("[a]\nt = { min = -40, max = 85,5 }\n", 2, "a decimal point"),
        ('[a]\nname = "x\nport = 1\n', 2, "a quote is missing"),
        ("[[adapters]]\n[adapters]\n", 2, "two brackets"),
        ("[web\nport = 1\n", 1, "']'"),
        ("[web]\nport = 1\nport = 2\n", 3, "overwrite"),
    ],
)
def test_a_syntax_error_has_line_and_column(tmp_path, text, line, hint):
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    problem = failure(path)
    assert problem.startswith(f"{path}:{line}: column ")
    assert hint in problem


def test_a_file_that_ends_too_early(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text("[web]\nallowed_origins = [\n")
    assert "expected TOML" in failure(path)


def test_nesting_without_end(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text("a = " + "[" * 100_000)
    assert "nested too deeply" in failure(path)


def test_a_missing_file(tmp_path):
    assert failure(tmp_path / "x.toml").startswith(f"{tmp_path}/x.toml: the file: expected a readable TOML file, found")


def test_a_directory(tmp_path):
    assert "found a directory" in failure(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything
    assert "found permission denied" in failure(tmp_path / "gateway.toml")


def test_a_file_that_is_not_utf8(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_bytes('[gateway]\nname = "Küche"\n'.encode("latin-1"))
    assert failure(path) == f"{path}:2: the text: expected UTF-8, found byte 0xfc; save the file as UTF-8"


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text('[gateway]\nname = "x"\n', encoding="utf-8-sig")
    assert Document.read(path).data == {"gateway": {"name": "x"}}


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty current folder, and stand-ins for the usual places."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)
    system = tmp_path / "etc.toml"
    monkeypatch.setattr("gateway.settings.files.FILES", (Path("gateway.toml"), system))
    return system


def test_the_first_configuration_that_exists_is_taken(places, tmp_path, monkeypatch):
    places.touch()
    assert find_config() == places
    Path("gateway.toml").touch()
    assert find_config() == Path("gateway.toml")
    monkeypatch.setenv("GATEWAY_CONFIG", str(tmp_path / "mine.toml"))
    assert find_config() == Path("gateway.toml")
    (tmp_path / "mine.toml").touch()
    assert find_config() == tmp_path / "mine.toml"
    assert find_config(Path("other.toml")) == Path("other.toml")


def test_no_configuration_says_where_it_looked(places):
    with pytest.raises(ConfigError, match=r"gateway\.toml, .*etc\.toml .*GATEWAY_CONFIG is not set") as caught:
        find_config()
    assert "gatewayctl config sample" in str(caught.value)


def test_numbers_to_choose_from_are_spelled_as_numbers():
    assert expected_by("literal_error", {"expected": "0, 1 or 2"}) == "0, 1 or 2"
