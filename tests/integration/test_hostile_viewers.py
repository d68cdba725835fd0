"""What strangers do to a WebSocket or by polling, while a good viewer watches: the hub is never held up."""

import json
import socket
import threading
import time
from collections import deque
from contextlib import contextmanager

import pytest

from tests.support.polling import PollingClient
from tests.support.ports import wait_until
from tests.support.raw_client import BINARY, RawClient, client_frame
from tests.support.viewers import Viewer
from tests.support.worn_in import worn_in

MOST_GROWTH = 8 * 2**20
PING = 0x9


def join(number, device):
    return b'42/telemetry,%d["join",{"device":"%s"}]' % (number, device.encode())


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with worn_in(tmp_path_factory.mktemp("hostile"), devices=3, interval="100ms") as daemon:
        yield daemon


@contextmanager
def unharmed(daemon):
    """Watch a device meanwhile; hold that nothing was lost, nothing grew, and nobody had to wait."""
    device = daemon.get("/api/v1/devices")["devices"][0]["id"]
    before, memory = daemon.get("/api/v1/status"), daemon.memory_bytes()
    with Viewer(daemon.url) as good:
        good.wait_for("connect")
        good.ask("join", {"device": device, "backlog": 1})
        yield good
        newest = daemon.get(f"/api/v1/devices/{device}")["last"]["seq"]
        seqs = good.wait_seq(device, newest)
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    after = daemon.get("/api/v1/status")
    assert after["hub_long_turns"] == before["hub_long_turns"], after["hub_lag_ms"]
    assert daemon.memory_bytes() - memory < MOST_GROWTH
    assert "Traceback" not in daemon.log


def sessions_end(daemon, left=0):
    wait_until(lambda: daemon.get("/api/v1/status")["clients"] == left, "no session is left", timeout_s=40.0)


def send_until_it_ends(client, data):
    """Send more than anybody takes."""
    client.socket.settimeout(60.0)
    with pytest.raises(ConnectionError):
        deque(iter(lambda: client.socket.sendall(data), "never"), maxlen=0)


def test_ten_thousand_joins_are_answered_one_after_another(running):
    flood = b"".join(client_frame(join(number, f"d{number % 900}")) for number in range(10_000))
    with unharmed(running), RawClient(running.port) as client:
        client.join("kitchen")
        client.socket.settimeout(120.0)
        sending = threading.Thread(target=client.socket.sendall, args=(flood,))
        sending.start()
        acknowledged = set()
        while len(acknowledged) < 10_000:
            _, payload = client.frame()
            if payload == b"2":
                client.send(b"3")
            elif payload.startswith(b"43/telemetry,"):
                number, _, answer = payload[len(b"43/telemetry,") :].partition(b"[")
                assert json.loads(b"[" + answer)[0]["ok"]
                acknowledged.add(int(number))
        sending.join()


def test_who_takes_no_answers_is_asked_nothing_more(running):
    flood = b"".join(client_frame(join(number, f"d{number % 900}")) for number in range(2_000))
    with unharmed(running), RawClient(running.port, receive_buffer=4096) as client:
        client.join("kitchen")
        send_until_it_ends(client, flood)
    sessions_end(running)


@pytest.mark.parametrize(
    "frames",
    [
        client_frame(b"4", final=False) + client_frame(b"", opcode=0, final=False) * 100_000,
        client_frame(b"x" * 1_000_000),
        client_frame(b"4", opcode=BINARY),
        client_frame(b"451-/telemetry,[]"),
        client_frame(b'452-/telemetry,1["join",{"_placeholder":true,"num":0}]'),
        client_frame(b"461-/telemetry,1[]"),
        client_frame(b"40/telemetry,"),
        client_frame(b'42/telemetry,1[["join"]]'),
        client_frame(b'42/telemetry,1{"join":1}'),
        client_frame(b"42/telemetry," + b"[" * 60_000),
    ],
    ids=[
        "fragments",
        "megabyte",
        "binary",
        "attachment",
        "attachments",
        "acknowledgement",
        "twice",
        "no name",
        "no list",
        "deep",
    ],
)
def test_who_breaks_the_protocol_is_dropped(running, frames):
    with unharmed(running), RawClient(running.port) as client:
        client.join("kitchen")
        send_until_it_ends(client, frames)
    sessions_end(running)


def test_a_request_with_thousands_of_keys_is_not_looked_into(running):
    with unharmed(running) as good:
        refused = good.ask("join", {"device": "kitchen", **{f"k{number}": 1 for number in range(4000)}})
    assert "at most 16 keys" in refused["error"]["message"]


def test_who_was_dropped_is_read_no_further(running):
    many = client_frame(b'452-/telemetry,1["join",{"_placeholder":true,"num":0}]') * 20
    with unharmed(running), RawClient(running.port) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        client.join("kitchen")
        with pytest.raises(OSError):
            deque((client.socket.sendall(many) for _ in range(2000)), maxlen=0)
    sessions_end(running)


@pytest.mark.parametrize(
    "frame", [client_frame(b"5"), client_frame(b"3"), client_frame(b"x" * 100, opcode=PING)], ids=["5", "3", "ping"]
)
def test_frames_that_mean_nothing_are_read_slowly(running, frame):
    flood = frame * 1000
    with unharmed(running), RawClient(running.port, receive_buffer=4096) as client:
        client.join("kitchen")
        client.socket.settimeout(1.0)
        try:
            for _ in range(400):
                client.socket.sendall(flood)
        except OSError:
            pass
    sessions_end(running)


def test_a_thousand_joins_in_one_post(running):
    with unharmed(running):
        client = PollingClient(running.port)
        assert client.post(b"40/telemetry,").endswith(b"OK")
        joining = threading.Thread(target=client.post, args=[join(number, f"d{number}") for number in range(1000)])
        joining.start()
        received = b""
        while b"43/telemetry,999[" not in received:
            received += client.poll()
            if received.endswith(b"2") or b"\x1e2\x1e" in received[-70_000:]:
                client.post(b"3")
        joining.join()
        assert received.count(b"43/telemetry,") == 1000
        client.post(b"1")
    sessions_end(running)


@pytest.mark.parametrize("packets", [[b"9"], [b"451-/telemetry,[]", b"bAAAA"], [b"40/telemetry,"], [b"5"] * 1000])
def test_who_breaks_the_protocol_by_polling_is_dropped(running, packets):
    with unharmed(running):
        client = PollingClient(running.port)
        client.join("kitchen")
        for _ in range(3):
            client.post(*packets)
    sessions_end(running)


def test_a_zombie_that_answers_pings_and_reads_nothing_is_ended(tmp_path):
    small = '[journal]\nmax_size = "8MiB"\n'  # so that its log has been as long as it gets before memory is measured
    with worn_in(tmp_path, devices=20, interval="10ms", more=small) as daemon:
        devices = [device["id"] for device in daemon.get("/api/v1/devices")["devices"]]
        wait_until(lambda: daemon.ledger()["stored"] > 30_000, "caches are as large as they get", timeout_s=90.0)
        with unharmed(daemon), RawClient(daemon.port, receive_buffer=2048) as zombie:
            for number, device in enumerate(devices):
                zombie.join(device) if number == 0 else zombie.send(join(number, device))
            with pytest.raises(OSError, match=r"reset|Broken|closed"):
                deque(iter(lambda: answer_unasked(zombie), "never"), maxlen=0)
        sessions_end(daemon)


def answer_unasked(zombie):
    """Say that it has handled what it was sent, which it hasn't."""
    zombie.send(b"3")
    time.sleep(0.5)
