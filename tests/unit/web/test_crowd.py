from types import SimpleNamespace

import pytest
from engineio.packet import MESSAGE, Packet
from flask import Flask

from gateway.chores import Chores
from gateway.runtime import Event, monotonic, sleep, spawn
from gateway.web import crowd, session
from gateway.web.addresses import Addresses
from gateway.web.crowd import Crowd
from gateway.web.sockets import Sockets, create

HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
def app():
    app = Flask("test")
    app.get("/page")(lambda: "page")
    socketio = create(app, lambda origin, environ: True)
    server, app.sockets = socketio.server, Sockets(socketio)
    app.crowd = Crowd(app.wsgi_app, server, 3, 2, Addresses(["127.0.0.1"]))
    app.wsgi_app = app.crowd
    app.eio = server.eio
    server.on("event", lambda sid: None, namespace="/telemetry")
    return app


def sid(client, address=None):
    answer = client.get(HANDSHAKE, headers={"X-Forwarded-For": address} if address else {})
    assert answer.status_code == 200
    return answer.text.partition('"sid":"')[2].partition('"')[0]


def enter(client, address=None):
    """Open a session and connect to a namespace: this one isn't given up for another."""
    name = sid(client, address)
    assert client.post(f"{HANDSHAKE}&sid={name}", data="40/telemetry,").text == "OK"
    return name


@pytest.mark.parametrize("newcomer", [HANDSHAKE, HANDSHAKE + "&sid="])
def test_sessions_are_bounded_and_those_who_are_in_go_on(app, newcomer):
    client = app.test_client()
    inside = [enter(client) for _ in range(3)]
    refused = client.get(newcomer)
    assert (refused.status_code, refused.content_type) == (503, "text/plain; charset=utf-8")
    assert refused.text == "3 viewers are connected, the most that this gateway takes; try again later\n"
    assert client.post(f"{HANDSHAKE}&sid={inside[0]}", data='42/telemetry,["event"]').text == "OK"
    assert client.get("/page").text == "page"
    assert client.post(f"{HANDSHAKE}&sid={inside[0]}", data="1").text == "OK"  # it leaves
    assert sid(client)


def test_who_is_in_no_namespace_makes_room(app):
    client = app.test_client()
    idle = [sid(client) for _ in range(2)]
    inside = [enter(client)]
    fresh = enter(client)  # the third place was free
    assert set(app.eio.sockets) == {idle[1], *inside, fresh}


def test_sessions_of_one_address_are_bounded_and_other_addresses_come_in(app):
    client = app.test_client()
    for _ in range(2):
        enter(client, "192.0.2.1")
    refused = client.get(HANDSHAKE, headers={"X-Forwarded-For": "192.0.2.1"})
    assert refused.status_code == 429
    assert refused.text == "2 viewers are connected from 192.0.2.1, the most of one address\n"
    assert refused.headers["Retry-After"] == "10"
    assert enter(client, "192.0.2.2")


def test_a_proxy_that_names_nobody_is_held_to_the_bound_of_all(app):
    client = app.test_client()
    for _ in range(3):
        enter(client)
    assert client.get(HANDSHAKE).status_code == 503


def test_the_way_of_one_that_polls_is_known_by_what_is_little(app, monkeypatch):
    clock = SimpleNamespace(at=100.0)
    monkeypatch.setattr(session, "monotonic", lambda: clock.at)
    client = app.test_client()
    name = enter(client)
    viewer = app.sockets.members()[0]

    def poll(size):
        app.eio.sockets[name].send(Packet(MESSAGE, data="x" * size))
        assert client.get(f"{HANDSHAKE}&sid={name}", buffered=True).status_code == 200

    for size, until_next_s, way_s in [(10, 0.3, 0.0), (5000, 2.0, 0.3), (10, 0.5, 0.3), (10, 0.1, 0.5), (10, 0.1, 0.1)]:
        poll(size)
        assert app.sockets.traffic(viewer).way_s == pytest.approx(way_s)
        clock.at += until_next_s


def test_who_stays_out_of_all_namespaces_is_ended(app, monkeypatch):
    client = app.test_client()
    idle, inside = sid(client), enter(client)
    app.crowd.look()
    at = monotonic()
    monkeypatch.setattr(crowd, "monotonic", lambda: at + 11.0)
    app.crowd.look()
    assert list(app.eio.sockets) == [inside]
    assert client.get(f"{HANDSHAKE}&sid={idle}").status_code == 400
    client.post(f"{HANDSHAKE}&sid={inside}", data="41/telemetry,")
    monkeypatch.setattr(crowd, "monotonic", lambda: at + 30.0)
    app.crowd.look()
    assert not app.eio.sockets


def test_a_defect_at_one_session_keeps_no_other_from_its_time_limit(app, monkeypatch):
    client, notes, stop, at = app.test_client(), [], Event(), monotonic()
    broken, _ = sid(client), sid(client)
    monkeypatch.setattr(app.eio.sockets[broken], "close", lambda **_: 1 / 0)
    monkeypatch.setattr(crowd, "monotonic", lambda: at + 30.0)
    monkeypatch.setattr(crowd, "_LOOK_S", 0.0)
    looking = spawn(app.crowd.run, stop, Chores(notes))
    while app.eio.sockets:
        assert monotonic() < at + 5.0
        sleep(0.01)
    stop.set()
    assert looking.join(5.0)
    assert notes == ["the gateway's own time limit of newcomers failed; its log says why"]


@pytest.mark.parametrize(
    "query",
    ["&j=0", "&j=", "&transport=websocket", "&EIO=3"],
    ids=["JSONP", "empty JSONP", "no upgrade", "Engine.IO 3"],
)
def test_what_is_no_longer_spoken_makes_no_session(app, query):
    client = app.test_client()
    path = "/socket.io/?EIO=4&transport=polling" + query
    assert client.get(path.replace("EIO=4&", "") if "EIO=3" in query else path).status_code == 400
    assert not app.eio.sockets


WEBSOCKET = {
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"Connection": "close"}, 400),
        ({"Upgrade": "h2c"}, 400),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": ""}, 426),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": "AAAA"}, 400),
        ({"Sec-WebSocket-Key": "é"}, 400),
    ],
)
def test_an_upgrade_that_is_none_makes_no_session(app, wrong, status):
    client = app.test_client()
    for path in ("/socket.io/?EIO=4&transport=websocket", HANDSHAKE):
        answer = client.get(path, headers=WEBSOCKET | wrong)
        assert answer.status_code == status
        assert (answer.headers.get("Sec-WebSocket-Version") == "13") == (status == 426)
    assert not app.eio.sockets
