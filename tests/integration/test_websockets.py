"""The WebSocket as strangers use it: raw frames at the real daemon."""

import threading

import pytest

from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.polling import PollingClient, connect, request
from tests.support.ports import wait_until
from tests.support.raw_client import BINARY, TEXT, RawClient
from tests.support.viewers import Viewer


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sockets")
    with Mosquitto(folder / "broker") as broker, Daemon(folder, mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        yield broker, daemon


def sessions_end(daemon):
    wait_until(lambda: daemon.get("/api/v1/status")["clients"] == 0, "no session is left", timeout_s=30.0)


def test_compression_is_not_negotiated(running):
    _, daemon = running
    with RawClient(daemon.port, "Sec-WebSocket-Extensions: permessage-deflate\r\n") as client:
        assert b"101" in client.answer
        assert b"deflate" not in client.answer.lower()


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(b"x" * 70_000, TEXT, True)], 1009),
        ([(b"x" * 1_000_000, TEXT, True)], 1009),
        ([(b"4" + b"x" * 20_000, TEXT, False), *[(b"x" * 20_000, 0, False)] * 5], 1009),
        ([(b"x", BINARY, True)], 1003),
        ([(b"\xff\xfe", TEXT, True)], None),
    ],
    ids=["a long frame", "a megabyte", "fragments without end", "binary", "no UTF-8"],
)
def test_what_is_too_much_or_no_text_ends_the_connection(running, frames, code):
    _, daemon = running
    with RawClient(daemon.port) as client:
        client.join("kitchen")
        try:
            for payload, opcode, final in frames:
                client.send(payload, opcode=opcode, final=final)
        except ConnectionError:
            pass  # it closed before all was sent
        got = client.close_code()
        assert code is None or got in {code, None}
    sessions_end(daemon)


@pytest.mark.parametrize("payload", [b"x", b"9", b"", b"4", b"42/telemetry", b"42/telemetry,{", b"451-/telemetry,[]"])
def test_what_is_no_packet_leaves_no_session_and_no_traceback(running, payload):
    _, daemon = running
    with RawClient(daemon.port) as client:
        client.join("kitchen")
        client.send(payload)
        client.send(b"41/telemetry,")
    sessions_end(daemon)
    assert "Traceback" not in daemon.log


def test_a_browser_that_stops_reading_costs_little_and_disturbs_nobody(running):
    broker, daemon = running
    stop = threading.Event()
    text = b"x" * 250
    payload = b'{"n": 1, %s}' % b", ".join(b'"%c": "%s"' % (letter, text) for letter in b"abcdefgh")

    def publish():
        while not stop.wait(0.2):  # no faster than the good one can follow, also on a busy machine
            broker.publish_all([("sensors/kitchen", payload)] * 200)

    with Viewer(daemon.url) as good:
        good.wait_for("connect")
        good.ask("join", {"device": "kitchen", "backlog": 0})
        publishing = threading.Thread(target=publish)
        publishing.start()
        wait_until(lambda: daemon.ledger()["stored"] > 8_000, "caches are as large as they get", timeout_s=120.0)
        before = daemon.memory_bytes()
        stalled = [RawClient(daemon.port) for _ in range(10)]
        for client in stalled:
            client.join("kitchen")  # and never reads again
        start = daemon.ledger()["stored"]
        wait_until(lambda: daemon.ledger()["stored"] > start + 10_000, "20 MB went by", timeout_s=120.0)
        grown = daemon.memory_bytes() - before
        stop.set()
        publishing.join()
        newest = daemon.get("/api/v1/devices/kitchen")["last"]["seq"]
        seqs = good.wait_seq("kitchen", newest, timeout_s=60.0)
        for client in stalled:
            client.socket.close()
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert grown < 10 * 2**20, f"memory grew by {grown / 2**20:.1f} MiB"
    sessions_end(daemon)


def until_reading(client, seq):
    """Read on until this reading, and answer pings; return how many these were."""
    pings = 0
    while b'"seq":%d,' % seq not in (payload := client.frame()[1]):
        if payload == b"2":
            client.send(b"3")
            pings += 1
    return pings


def test_what_is_polled_while_a_websocket_is_made_counts_as_taken(running):
    broker, daemon = running
    broker.publish_all([("sensors/porch", b'{"n": %d}' % number) for number in range(300)])
    wait_until(lambda: daemon.get("/api/v1/devices/porch")["last"]["seq"] == 300, "all is stored")
    polling = PollingClient(daemon.port)
    polling.post(b"40/telemetry,")
    while b"hello" not in polling.poll():
        pass
    with connect(daemon.port) as poll:
        poll.sendall(request(polling.path, headers="Connection: close\r\n"))
        daemon.get("/healthz")
        with RawClient(daemon.port, path=f"/socket.io/?EIO=4&transport=websocket&sid={polling.sid}") as client:
            polling.post(b'42/telemetry,0["join",{"device":"porch","backlog":300}]')
            assert b"43/telemetry" in b"".join(iter(lambda: poll.recv(65536), b""))
            client.send(b"2probe")
            assert client.frame()[1] == b"3probe"
            client.send(b"5")
            assert until_reading(client, 300) < 20
    sessions_end(daemon)
