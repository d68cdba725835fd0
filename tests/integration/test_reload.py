"""A changed configuration takes effect in a running gateway, and what isn't changed doesn't notice."""

import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from tests.support.daemon import Daemon, mqtt, serial
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.ptys import VirtualPort
from tests.support.raw_client import RawClient
from tests.support.viewers import Viewer

PROFILE = "[profiles.climate.metrics.temperature]\nmax = {most}\n"
SPOKEN_FOR = "X-Forwarded-For: 192.0.2.1\r\n"
CLIMATE = 'profile = "climate"\n'


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as one:
        yield one


@pytest.fixture
def start(tmp_path, broker):
    running = []

    def start(tables: str) -> Daemon:
        daemon = Daemon(tmp_path / "gateway", tables)
        daemon.start()
        running.append(daemon)
        return daemon

    yield start
    for daemon in running:
        daemon.stop()


def tables(broker, *names, **more):
    return "".join(mqtt(broker.port, name=name, topic=f"{name}/{{device}}", **more) for name in names)


def connections(broker, name):
    """Count the times at which a source connected."""
    return sum("connected" in line and f"-{name}-" in line for line in broker.log.splitlines() if "New client" in line)


def stored(daemon, name):
    return {source["name"]: source["ledger"]["stored"] for source in daemon.get("/api/v1/status")["sources"]}[name]


def may_connect(daemon, origin):
    url = f"{daemon.url}/socket.io/?EIO=4&transport=polling"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Origin": origin}), timeout=10.0) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def admits(daemon, headers=""):
    """Return the status that a newcomer is answered with."""
    with RawClient(daemon.port, headers) as newcomer:
        return newcomer.answer.split()[1]


def gatewayctl(daemon, *arguments):
    program = [sys.executable, "-c", "from gateway.cli import main; main()", "--config", str(daemon.config), *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)


def test_only_what_is_changed_connects_anew(start, broker):
    daemon = start(tables(broker, "attic", "cellar"))
    daemon.wait_up("attic", "cellar")
    with Viewer(daemon.url) as viewer:
        viewer.ask("join", {"device": "a"})
        daemon.configure(tables(broker, "attic") + tables(broker, "cellar", more='keepalive = "20s"'))
        assert daemon.reload()["words"] == ["source cellar changed, and up"]
        broker.publish("attic/a", '{"n": 1}')
        viewer.wait_seq("a", 1)
        assert [event["event"] for event in viewer.events].count("hello") == 1
    assert (connections(broker, "attic"), connections(broker, "cellar")) == (1, 2)


def test_a_source_comes_goes_and_comes_back_with_its_account(start, broker):
    daemon = start(tables(broker, "attic"))
    daemon.configure(tables(broker, "cellar", "attic"))
    daemon.wait_up("attic")
    assert daemon.reload()["words"] == ["source cellar added, and up"]
    assert list(daemon.source_states()) == ["cellar", "attic"]
    broker.publish("cellar/a", '{"n": 1}')
    wait_until(lambda: stored(daemon, "cellar") == 1, "stored")
    daemon.configure(tables(broker, "attic"))
    assert daemon.reload()["words"] == ["source cellar removed"]
    assert list(daemon.source_states()) == ["attic"]
    assert daemon.ledger()["received"] == 0
    daemon.configure(tables(broker, "cellar", "attic"))
    daemon.reload()
    assert stored(daemon, "cellar") == 1
    assert daemon.get("/api/v1/devices/a")["latest"] == {"n": 1}


def test_what_is_under_way_is_neither_lost_nor_stored_twice(start, broker):
    daemon = start(tables(broker, "attic"))
    daemon.wait_up("attic")
    publishing = threading.Thread(
        target=lambda: broker.publish_all([("attic/a", f'{{"n": {n}}}') for n in range(4000)]), daemon=True
    )
    publishing.start()
    for seconds in range(20, 26):
        daemon.configure(tables(broker, "attic", more=f'keepalive = "{seconds}s"'))
        assert daemon.reload()["complete"]
    publishing.join(60.0)
    wait_until(lambda: stored(daemon, "attic") == 4000, "all stored", timeout_s=30.0)
    values = [reading["values"]["n"] for reading in daemon.readings("a")]
    assert sorted(values) == list(range(4000))


def test_a_mended_profile_takes_what_it_refused_over_the_same_connection(start, broker):
    daemon = start(tables(broker, "attic", more="") + CLIMATE + PROFILE.format(most=30))
    daemon.wait_up("attic")
    broker.publish("attic/a", '{"temperature": 40}')
    wait_until(lambda: daemon.ledger()["rejected"] == 1, "rejected")
    daemon.configure(tables(broker, "attic") + CLIMATE + PROFILE.format(most=50) + 'unit = "°C"\n')
    assert daemon.reload()["words"] == ["source attic: its profiles changed"]
    assert gatewayctl(daemon, "rejects", "replay", "--all").returncode == 0
    broker.publish("attic/a", '{"temperature": 41}')
    wait_until(lambda: daemon.ledger()["stored"] == 2, "stored")
    assert daemon.get("/api/v1/devices/a")["metrics"]["temperature"] == {"type": "float", "unit": "°C", "max": 50}
    assert connections(broker, "attic") == 1


def test_who_watches_learns_of_another_unit(start, broker):
    daemon = start(tables(broker, "attic") + CLIMATE + PROFILE.format(most=50))
    daemon.wait_up("attic")
    broker.publish("attic/a", '{"temperature": 40}')
    wait_until(lambda: daemon.ledger()["stored"] == 1, "stored")
    with Viewer(daemon.url) as viewer:
        viewer.ask("join", {"device": "a"})
        daemon.configure(tables(broker, "attic") + CLIMATE + PROFILE.format(most=60) + 'unit = "°C"\n')
        daemon.reload()
        broker.publish("attic/a", '{"temperature": 41}')
        described = viewer.wait_for("device")["metrics"]
        assert described == {"temperature": {"type": "float", "unit": "°C", "max": 60}}
        assert viewer.wait_seq("a", 2)


def test_an_unusable_file_changes_nothing_and_is_a_problem_until_it_is_mended(start, broker):
    daemon = start(tables(broker, "attic"))
    daemon.wait_up("attic")
    daemon.configure(tables(broker, "cellar") + "qso = 2\n", name="other")
    done = gatewayctl(daemon, "reload")
    assert done.returncode == 78
    assert f"nothing was changed: {daemon.config}:15: adapters[0].routes[0].qso" in done.stdout
    status = daemon.get("/api/v1/status")
    assert status["gateway"]["name"] == "test"
    assert [source["name"] for source in status["sources"]] == ["attic"]
    assert any("can't be used" in problem for problem in status["problems"])
    daemon.configure(tables(broker, "attic"))
    done = gatewayctl(daemon, "reload")
    assert (done.returncode, done.stdout) == (0, "nothing has changed\n")
    assert daemon.get("/api/v1/status")["problems"] == []
    assert connections(broker, "attic") == 1


def test_what_a_running_gateway_can_and_can_not_change(start, broker):
    daemon = start(tables(broker, "attic"))
    assert not may_connect(daemon, "https://pi.example")
    daemon.configure('allowed_origins = ["https://pi.example"]\n' + tables(broker, "attic"), name="renamed")
    assert daemon.reload()["words"] == ["gateway.name changed", "web.allowed_origins changed"]
    assert may_connect(daemon, "https://pi.example")
    assert daemon.get("/api/v1/status")["gateway"]["name"] == "renamed"
    with Viewer(daemon.url) as viewer:
        assert viewer.wait_for("hello")["gateway"] == "renamed"
    daemon.configure('[journal]\nretention = "1d"\nmax_size = "99MiB"\n' + tables(broker, "attic"), name="renamed")
    assert daemon.reload()["settings"] == ["web.allowed_origins", "journal.retention", "journal.max_size"]
    daemon.configure('[journal]\ndurability = "power"\n' + tables(broker, "attic"), name="renamed")
    done = gatewayctl(daemon, "reload")
    assert done.returncode == 1
    assert "journal.durability changed in the configuration; it needs a restart" in done.stdout


def test_how_many_may_connect_and_which_proxies_are_believed_change_and_who_is_connected_stays(start):
    daemon = start("max_clients = 3\nmax_clients_per_address = 1\n")
    with RawClient(daemon.port, SPOKEN_FOR) as first:
        first.join("kitchen")
        assert admits(daemon, SPOKEN_FOR) == b"429"
        daemon.configure("max_clients = 2\nmax_clients_per_address = 2\n")
        assert daemon.reload()["settings"] == ["web.max_clients", "web.max_clients_per_address"]
        with RawClient(daemon.port, SPOKEN_FOR) as second:
            assert second.answer.split()[1] == b"101"
            second.join("kitchen")
            assert admits(daemon) == b"503"
            daemon.configure("max_clients = 4\nmax_clients_per_address = 1\ntrusted_proxies = []\n")
            assert daemon.reload()["complete"]
            with RawClient(daemon.port, SPOKEN_FOR) as third:  # nobody is believed: it comes from this machine
                assert third.answer.split()[1] == b"101"
                third.join("kitchen")
                assert daemon.get("/api/v1/status")["clients"] == 3
                other = "X-Forwarded-For: 192.0.2.2\r\n"
                wait_until(lambda: admits(daemon, other) == b"429", "it is too many, and not a connection too many")


def test_a_signal_reloads_and_the_log_says_what(start, broker):
    daemon = start("")
    daemon.configure(tables(broker, "attic"))
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "reload: source attic added, and up" in daemon.log, "reloaded")


def test_reloads_at_the_same_time_all_see_the_file_as_it_is(start, broker):
    daemon = start("")
    daemon.configure(tables(broker, "attic"))
    answers = []
    together = [threading.Thread(target=lambda: answers.append(daemon.reload()["complete"])) for _ in range(8)]
    for each in together:
        each.start()
    for each in together:
        each.join(60.0)
    assert answers == [True] * 8
    assert list(daemon.source_states()) == ["attic"]
    assert connections(broker, "attic") == 1


def test_a_change_that_does_not_work_is_taken_back(start, broker, tmp_path):
    """Takes the half minute that a source is given to be up; the port comes back too."""
    with VirtualPort(tmp_path / "port") as port:
        daemon = start(tables(broker, "attic") + serial(port.link))
        daemon.wait_up("attic", "bench")
        daemon.configure(tables(broker, "attic").replace(str(broker.port), "1") + serial(tmp_path / "nothing"))
        done = gatewayctl(daemon, "reload")
        assert done.returncode == 1
        assert "source attic didn't come up with its changed settings: broker 127.0.0.1:1: " in done.stdout
        assert "source bench didn't come up with its changed settings: " in done.stdout
        daemon.wait_up("attic", "bench")
        broker.publish("attic/a", '{"n": 1}')
        port.write(b"1,2\n")
        wait_until(lambda: daemon.ledger()["stored"] == 2, "stored")
        assert len([it for it in daemon.get("/api/v1/status")["problems"] if "its old ones are back" in it]) == 2
        assert daemon.log.count("its old ones are back") == 2
