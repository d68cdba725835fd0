"""Contract tests: the private parts of the stack that the gateway leans on are still as they were."""

import inspect
import re
import time

import engineio
import engineio.base_socket
import engineio.payload
import engineio.socket
import orjson
import pytest
from engineio.packet import MESSAGE, Packet
from flask import Flask
from socketio.packet import EVENT

from gateway.web.outbox import Outbox
from gateway.web.sockets import Json, Sockets, create


@pytest.fixture
def socketio():
    return create(Flask("test"), lambda origin, environ: True)


def test_engineio_makes_its_client_queues_from_the_async_table(socketio):
    eio = socketio.server.eio
    assert set(eio._async) >= {"thread", "queue", "queue_empty", "event", "websocket", "sleep"}
    assert isinstance(eio.create_queue(), Outbox)
    assert eio.async_mode == "eventlet"


def test_the_table_of_other_servers_is_left_alone(socketio):
    assert engineio.Server(async_mode="eventlet")._async["queue"] is not Outbox


def test_outbox_counts_the_bytes_that_wait():
    outbox = Outbox()
    outbox.put(Packet(MESSAGE, data="12345"))
    outbox.put(None)
    outbox.put(Packet(MESSAGE, data="123"))
    assert outbox.unsent == 8
    outbox.get()
    assert outbox.unsent == 3
    outbox.get()
    outbox.get()
    assert outbox.unsent == 0


def test_stored_bytes_go_into_a_packet_as_they_are(socketio):
    packet = socketio.server.packet_class(2, namespace="/telemetry", data=["readings", orjson.Fragment(b'{"a": 1.50}')])
    assert packet.encode() == '2/telemetry,["readings",{"a": 1.50}]'
    assert Json.loads('{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("payload", [{"device": 'a "b"', "é": [1.5, None]}, orjson.Fragment(b'{"a": 1.50}'), []])
def test_an_event_is_encoded_as_python_socketio_does(socketio, payload):
    packet = socketio.server.packet_class(EVENT, namespace="/telemetry", data=["readings", payload])
    assert Sockets(socketio)._encode("readings", payload) == packet.encode()


def test_a_browser_that_joins_many_devices_at_once_sends_them_in_one_post(socketio):
    assert engineio.payload.Payload.max_decode_packets >= 1000


@pytest.mark.parametrize("module", [engineio.socket, engineio.base_socket])
def test_engineio_uses_nothing_of_time_but_time(socketio, module):
    assert set(re.findall(r"\btime\.(\w+)", inspect.getsource(module))) == {"time"}


@pytest.mark.parametrize("step_s", [-86_400.0, 50 * 365 * 86_400.0])
def test_a_step_of_the_clock_throws_no_client_out(socketio, monkeypatch, step_s):
    client = engineio.socket.Socket(socketio.server.eio, "sid")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step_s)
    assert client.check_ping_timeout()
    client.last_ping -= 1000.0
    assert not client.check_ping_timeout()


def test_nobody_is_in_any_room_before_the_first_came(socketio):
    sockets = Sockets(socketio)
    assert sockets.clients() == 0
    assert not sockets.occupied("overview")
    assert sockets.unsent("nobody") == 0
    sockets.announce("device:x", "readings", {})


def test_what_clients_send_comes_through_a_handler_that_can_be_replaced(socketio):
    eio, manager = socketio.server.eio, socketio.server.manager
    assert eio.handlers["message"].__qualname__ == "Inbound._message"
    assert "_trigger_event('message', self.sid, pkt.data" in inspect.getsource(engineio.socket.Socket.receive)
    assert manager.sid_from_eio_sid("nobody", "/telemetry") is None


def test_nobody_waits_for_a_queue_that_its_client_may_never_take():
    outbox = Outbox()
    outbox.put(Packet(MESSAGE, data="x"))
    outbox.join()
