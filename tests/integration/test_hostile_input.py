"""Show by show: what sensors and strangers may send, and that everything else goes on."""

import http.client
import json
import random
import socket
from contextlib import ExitStack
from urllib.parse import quote

import pytest

from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

PROFILE = """profile = "climate"
[profiles.climate.metrics.temperature]
type = "float"
min = -40
max = 85
required = true
"""
BAD_PAYLOADS = [
    b"", b"not json", b"{", b"[]", b"{}", b"null", b"42", b'"text"', b"[1, 2]", b"{'temperature': 1}",
    b'{"temperature": "21,4"}', b'{"temperature": "warm"}', b'{"temperature": null}', b'{"temperature": true}',
    b'{"temperature": NaN}', b'{"temperature": Infinity}', b'{"temperature": 1e400}', b'{"temperature": -41}',
    b'{"temperature": 85.01}', b'{"humidity": 5}', b'{"temperature": 1, "note": "%s"}' % (b"x" * 300),
    b'{"temperature": [1, 2]}', b'{"temperature": {"c": 1}}', b'{"temperature": 1, "ts": "yesterday"}',
    b'{"temperature": 1, "ts": NaN}', b"\xff\xfe\x00", b'{"temperature": "\xff"}', b"\x00" * 64,
    b"[" * 100_000, b'{"a":' * 5_000, b'{"temperature": 1' + b"0" * 5_000 + b"}", b'{"temperature": 1} trailing',
    b'[{"temperature": 1}, {"temperature": 99}]', json.dumps({f"m{n}": n for n in range(300)}).encode(),
]  # fmt: skip
LARGEST = json.dumps({f"{n:03}" + "x" * 253: "\U0001f525" * 256 for n in range(256)}, ensure_ascii=False)
NAMES = [
    "<script>alert(1)</script>".replace("/", "\\"),
    'it\'s "quoted" & co',
    "emoji 🌡️🔥",
    "Living Room (küche)",
    "a%2Fb",
]


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def test_1000_malformed_payloads_between_valid_ones(tmp_path, broker):
    with Daemon(tmp_path, mqtt(broker.port) + PROFILE) as daemon:
        daemon.wait_up("broker")
        chance = random.Random(7)
        messages = []
        for number in range(1000):
            messages.append(("sensors/kitchen", chance.choice(BAD_PAYLOADS)))
            messages.append(("sensors/kitchen", b'{"temperature": %.2f}' % (number / 100 - 4)))
        messages += [("sensors/kitchen", b"x" * 10_000_000), ("sensors/kitchen", b'{"temperature": 84.5}')]
        broker.publish_all(messages)
        wait_until(lambda: daemon.ledger()["stored"] == 1001, "every valid one arrived", timeout_s=60.0)
        books = daemon.ledger()
        assert (books["rejected"], books["in_flight"], books["received"]) == (1001, 0, 2002)
        values = [reading["values"]["temperature"] for reading in daemon.readings("kitchen")]
        assert values == [round(number / 100 - 4, 2) for number in range(1000)] + [84.5]
        assert daemon.log.count("message rejected") == 1  # and a summary now and then
        assert "Traceback" not in daemon.log


@pytest.mark.parametrize("payload", BAD_PAYLOADS, ids=[repr(payload[:30]) for payload in BAD_PAYLOADS])
def test_each_malformed_payload_is_one_rejected_message(one_daemon, payload):
    broker, daemon = one_daemon
    before = daemon.ledger()
    broker.publish_all([("sensors/kitchen", payload), ("sensors/kitchen", b'{"temperature": 20}')])
    wait_until(lambda: daemon.ledger()["stored"] == before["stored"] + 1, "the valid one after it")
    assert daemon.ledger()["rejected"] == before["rejected"] + 1


@pytest.fixture(scope="module")
def one_daemon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rejects")
    with Mosquitto(folder / "broker") as broker, Daemon(folder, mqtt(broker.port) + PROFILE) as daemon:
        daemon.wait_up("broker")
        yield broker, daemon


def test_strange_names_are_devices_like_any_other(tmp_path, broker):
    with Daemon(tmp_path, mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        broker.publish_all([(f"sensors/{name}", b'{"n": 1}') for name in NAMES])
        wait_until(lambda: len(daemon.get("/api/v1/devices")["devices"]) == len(NAMES), "all of them")
        assert [device["id"] for device in daemon.get("/api/v1/devices")["devices"]] == sorted(NAMES)
        for name in NAMES:
            assert daemon.get(f"/api/v1/devices/{quote(name, safe='')}")["id"] == name


def test_names_that_are_none_are_rejected_or_ignored(tmp_path, broker):
    with Daemon(tmp_path, mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        broker.publish_all(
            [("sensors/", b'{"n": 1}'), ("sensors/ x", b'{"n": 1}'), ("sensors/" + "y" * 129, b'{"n": 1}')]
        )
        wait_until(lambda: daemon.ledger()["received"] == 3, "they came")
        wait_until(lambda: daemon.ledger()["rejected"] == 3, "they were rejected")
        assert daemon.get("/api/v1/devices") == {"devices": []}


def ask(daemon, method, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10.0)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/devices/nobody", 404, "not_found"),
        ("/api/v1/devices/nobody/readings", 404, "not_found"),
        ("/api/v1/devices/kitchen/readings?limit=0", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?max_points=100", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?metric=temperature", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?metric=temperature&max_points=3", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?metric=temperature&max_points=9&after=1", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?limit=10001", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?limit=ten", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?after=-1", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?from=nan", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?order=up", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?format=xml", 400, "bad_request"),
        ("/api/v1/devices/kitchen/readings?limitt=5", 400, "bad_request"),
        ("/api/v1/nonsense", 404, "not_found"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(one_daemon, path, status, code):
    broker, daemon = one_daemon
    broker.publish("sensors/kitchen", b'{"temperature": 20}')
    wait_until(lambda: daemon.get("/api/v1/devices")["devices"], "the device is known")
    got, body = ask(daemon, "GET", path)
    error = json.loads(body)["error"]
    assert (got, error["code"]) == (status, code)
    assert error["message"]


def test_a_page_of_another_site_gets_nothing(one_daemon):
    _, daemon = one_daemon
    socket = "/socket.io/?EIO=4&transport=polling"
    assert ask(daemon, "GET", "/", {"Host": "evil.example"})[0] == 403
    assert ask(daemon, "GET", socket, {"Origin": "http://evil.example"})[0] == 400
    assert ask(daemon, "GET", socket, {"Origin": daemon.url})[0] == 200
    assert ask(daemon, "GET", socket)[0] == 200


def test_no_stranger_sees_a_traceback(one_daemon):
    _, daemon = one_daemon
    socket = "/socket.io/?EIO=4&transport=websocket"
    for headers in ({"Upgrade": "websocket"}, {"Upgrade": "WebSocket", "Connection": "Upgrade", "Origin": daemon.url}):
        _, body = ask(daemon, "GET", socket, headers)
        assert "Traceback" not in body
    for method, path in (("POST", "/"), ("DELETE", "/api/v1/status"), ("GET", "/static/../../etc/passwd")):
        status, body = ask(daemon, method, path)
        assert status in {400, 404, 405}
        assert "Traceback" not in body


def test_large_answers_that_nobody_reads_take_a_bounded_amount_of_memory(tmp_path, broker):
    with Daemon(tmp_path, mqtt(broker.port)) as daemon, ExitStack() as readers:
        daemon.wait_up("broker")
        broker.publish_all([("sensors/kitchen", LARGEST)] * 40)
        wait_until(lambda: daemon.ledger()["stored"] == 40, "all are stored", timeout_s=30.0)
        path = "/api/v1/devices/kitchen/readings?limit=10000&format=ndjson"
        before = daemon.memory_bytes()
        for _ in range(30):
            reader = readers.enter_context(socket.create_connection(("127.0.0.1", daemon.port), timeout=20.0))
            reader.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert reader.recv(12) == b"HTTP/1.1 200"  # and no more: of 240 MiB in all
        assert daemon.memory_bytes() - before < 100 * 2**20
        assert ask(daemon, "GET", path)[0] == 200  # who reads gets it


@pytest.mark.parametrize("form", ["json", "csv", "ndjson"])
def test_a_page_of_the_largest_readings_is_bounded(tmp_path, broker, form):
    messages = [("sensors/kitchen", LARGEST)] * 40
    with Daemon(tmp_path, mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        broker.publish_all(messages)
        wait_until(lambda: daemon.ledger()["stored"] == len(messages), "all are stored", timeout_s=30.0)
        path = f"/api/v1/devices/kitchen/readings?limit=10000&format={form}"
        sizes, following = [], 0
        while following is not None:
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20.0)
            connection.request("GET", f"{path}&after={following}")
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            sizes.append(len(body))
            following = json.loads(body)["next"] if form == "json" else answer.headers["X-Next"]
        assert len(sizes) == 2
        assert max(sizes) < 9 * 2**20
        assert [reading["seq"] for reading in daemon.readings("kitchen")] == list(range(1, 41))
