import weakref

import engineio.socket
import pytest
from engineio.packet import PING
from flask import Flask

from gateway import runtime
from gateway.web import session
from gateway.web.session import Session
from gateway.web.sockets import create


@pytest.fixture
def server():
    return create(Flask("test"), lambda origin, environ: True).server.eio


def test_engineio_makes_its_clients_of_it(server):
    assert engineio.socket.Socket is Session


def test_a_client_is_asked_for_a_sign_of_life(server):
    server.ping_interval = 0.01
    session = Session(server, "sid")
    session.schedule_ping()
    assert session.queue.get(timeout=5.0).packet_type == PING
    session.schedule_ping()  # it answered
    assert session.queue.get(timeout=5.0).packet_type == PING


def test_a_client_that_is_being_asked_is_not_asked_again(server):
    server.ping_interval = 0.01
    session = Session(server, "sid")
    session.schedule_ping()
    session.schedule_ping()
    session.queue.get(timeout=5.0)
    runtime.sleep(0.05)
    assert session.queue.empty()


def test_clients_that_came_at_about_the_same_time_are_asked_in_one_turn(server, monkeypatch):
    due = []
    hub = session.eventlet.hubs.get_hub()
    for at in (1000.01, 1000.09, 1000.31, 1000.39):
        monkeypatch.setattr(session, "monotonic", lambda at=at: at)
        monkeypatch.setattr(hub, "schedule_call_global", lambda delay_s, *_, at=at: due.append(at + delay_s))
        Session(server, "sid").schedule_ping()
    assert due == pytest.approx([1010.0, 1010.0, 1010.3, 1010.3], abs=1e-6)


def test_a_client_that_left_is_forgotten_at_once(server):
    session = Session(server, "sid")
    gone = weakref.ref(session)
    session.schedule_ping()
    session.close(wait=False, abort=True)
    del session
    assert gone() is None
