import pytest
from flask import Flask

from gateway.web import crowd
from gateway.web.sockets import create

HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(crowd, "MOST_SESSIONS", 3)
    app = Flask("test")
    app.get("/page")(lambda: "page")
    create(app, lambda origin, environ: True)
    return app


def sid(client):
    answer = client.get(HANDSHAKE)
    assert answer.status_code == 200
    return answer.text.partition('"sid":"')[2].partition('"')[0]


@pytest.mark.parametrize("newcomer", [HANDSHAKE, HANDSHAKE + "&sid=", "/socket.io/?EIO=4&transport=websocket"])
def test_sessions_are_bounded_and_those_who_are_in_go_on(app, newcomer):
    client = app.test_client()
    inside = [sid(client) for _ in range(3)]
    refused = client.get(newcomer)
    assert (refused.status_code, refused.content_type) == (503, "text/plain; charset=utf-8")
    assert refused.text == "3 viewers are connected, the most that this gateway takes; try again later\n"
    assert client.post(f"{HANDSHAKE}&sid={inside[0]}", data="40").text == "OK"
    assert client.get("/page").text == "page"
    assert client.post(f"{HANDSHAKE}&sid={inside[0]}", data="1").text == "OK"  # it leaves
    assert client.get(f"{HANDSHAKE}&sid={inside[0]}").status_code == 400
    assert sid(client)
