"""Who may connect, for how long without asking for anything, and what strangers learn: raw bytes, the real daemon."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.support.daemon import Daemon
from tests.support.polling import PATH, PollingClient, connect, exchange, request
from tests.support.ports import wait_until
from tests.support.raw_client import RawClient
from tests.support.viewers import Viewer

MOST, MOST_PER_ADDRESS = 40, 10
BOUNDS = f"max_clients = {MOST}\nmax_clients_per_address = {MOST_PER_ADDRESS}\n"
SIMULATOR = '[[adapters]]\nname = "pretend"\ntype = "simulator"\ndevices = 3\ninterval = "100ms"\n'
STRANGER, OTHER = "127.0.0.2", "127.0.0.3"
"""The loopback has many addresses, of which one is trusted as a proxy's."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("guard"), BOUNDS + SIMULATOR) as running:
        running.wait_up("pretend")
        wait_until(lambda: running.get("/api/v1/status")["devices"] == 3, "its devices are known")
        yield running
        assert running.get("/api/v1/status")["hub_long_turns"] == 0


@contextmanager
def connections(port, count, say, *, source=None):
    """Open many connections that all say the same; refused ones are among them."""
    opened = []
    try:
        for _ in range(count):
            opened.append(connect(port, source=source))
            try:
                opened[-1].sendall(say)
            except ConnectionError:
                continue
        yield opened
    finally:
        for client in opened:
            client.close()


def dribble(client, part, *, every_s=0.2, most_s=60.0):
    """Send ``part`` again and again until the other end has had enough; return what it said, and after how long."""
    began, said = time.monotonic(), b""
    client.settimeout(every_s)
    while time.monotonic() < began + most_s:
        try:
            client.sendall(part)
            said += (got := client.recv(4096))
        except TimeoutError:
            continue
        except ConnectionError:
            break
        if not got:
            break
    return said, time.monotonic() - began


NEVER_ENDED = {
    "headers": (b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
    "request line": (b"", b"G"),
    "one header": (request("/")[:-2] + b"Content-Type: ", b"x"),
    "body": (request(PATH + "&sid={sid}", method="POST", body=b"4" * 60_000)[:-60_000], b"4"),
    "post": (request("/api/v1/rejects/replay", method="POST")[:-2] + b"X: ", b"x"),
}
"""What a request begins with, and what follows again and again."""


def never_end(port, begin, part):
    if b"{sid}" in begin:
        begin = begin.replace(b"{sid}", PollingClient(port).sid.encode())
    with connect(port) as client:
        client.sendall(begin)
        return dribble(client, part)


def say_nothing(port):
    with connect(port, timeout_s=30.0) as client:
        return client.recv(100)


def replace_no_polling(port):
    session = PollingClient(port)
    with RawClient(port, path=session.path.replace("polling", "websocket")) as client:
        client.send(b"2probe")
        assert client.frame()[1] == b"3probe"
        client.socket.settimeout(30.0)
        client.close_code()  # it comes to an end


def connect_to_no_namespace(port):
    with RawClient(port) as client:
        assert client.frame()[1].startswith(b"0{")
        client.socket.settimeout(30.0)
        client.send(b"3")
        client.close_code()  # it comes to an end


def poll_in_no_namespace(port):
    session = PollingClient(port)
    wait_until(lambda: b" 400 " in session.post(b"3")[:20], "the session is ended", timeout_s=30.0)


IDLERS = (say_nothing, replace_no_polling, connect_to_no_namespace, poll_in_no_namespace)


@pytest.fixture(scope="module")
def ends(daemon):
    """Return how all of them end, who keep the gateway waiting at the same time."""
    with ThreadPoolExecutor(len(NEVER_ENDED) + len(IDLERS)) as pool:
        ends = {name: pool.submit(never_end, daemon.port, *said) for name, said in NEVER_ENDED.items()}
        return ends | {idle: pool.submit(idle, daemon.port) for idle in IDLERS}


@pytest.mark.parametrize("name", NEVER_ENDED)
def test_who_never_ends_his_request_is_ended(ends, name):
    said, took_s = ends[name].result()
    assert took_s < 40.0
    assert not said or said.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 400 "))


@pytest.mark.parametrize("idle", IDLERS)
def test_who_wants_nothing_is_ended(ends, idle):
    assert not ends[idle].result()


def test_connections_that_ask_for_nothing_lock_nobody_out(daemon):
    with (
        connections(daemon.port, 3 * MOST, b""),
        connections(daemon.port, 3 * MOST, b"GET / HTTP/1.1\r\n"),
        Viewer(daemon.url) as good,
    ):
        good.wait_for("connect")
        assert good.ask("join", {"device": "kitchen"})["ok"]


def is_kept(client):
    """Tell whether the other end has answered, and not closed."""
    client.settimeout(0.2)
    try:
        while client.recv(4096):
            pass
    except TimeoutError:
        return True
    except ConnectionError:
        pass
    return False


def test_a_thousand_connections_from_one_address_take_no_room_from_others(daemon):
    with connections(daemon.port, 1000, request(PATH), source=STRANGER) as opened:
        assert exchange(daemon.port, request(PATH, headers="Connection: close\r\n"), source=OTHER)[9:12] == b"200"
        assert daemon.get("/api/v1/status")["devices"] == 3
        assert sum(map(is_kept, opened)) <= 2 * MOST_PER_ADDRESS


def test_viewers_of_one_address_are_bounded_also_behind_a_proxy(daemon):
    inside = [RawClient(daemon.port, "X-Forwarded-For: 192.0.2.1\r\n") for _ in range(MOST_PER_ADDRESS)]
    for client in inside:
        client.join("kitchen")
    with RawClient(daemon.port, "X-Forwarded-For: 203.0.113.5, 192.0.2.1\r\n") as refused:
        assert refused.answer.startswith(b"HTTP/1.1 429 ")
    with RawClient(daemon.port, "X-Forwarded-For: 192.0.2.2\r\n") as other:
        assert other.answer.startswith(b"HTTP/1.1 101 ")
    for client in inside:
        client.socket.close()
    wait_until(lambda: daemon.get("/api/v1/status")["clients"] == 0, "they are gone", timeout_s=30.0)


def test_viewers_are_bounded_in_all_and_their_places_come_free(daemon):
    inside = [RawClient(daemon.port) for _ in range(MOST)]
    for client in inside:
        client.join("kitchen")
    with RawClient(daemon.port) as refused:
        assert refused.answer.startswith(b"HTTP/1.1 503 ")
    assert daemon.get("/api/v1/status")["clients"] == MOST
    inside.pop().socket.close()
    wait_until(lambda: daemon.get("/api/v1/status")["clients"] < MOST, "it is gone")
    with RawClient(daemon.port) as newcomer:
        newcomer.join("kitchen")
    for client in inside:
        client.socket.close()


def test_many_viewers_come_and_go_at_once(daemon):
    for _ in range(2):
        crowd = [RawClient(daemon.port) for _ in range(MOST)]
        for client in crowd:
            client.join("kitchen")
        for client in crowd:
            client.socket.close()
        wait_until(lambda: daemon.get("/api/v1/status")["clients"] == 0, "they are gone", timeout_s=30.0)


SOCKET = "/socket.io/?EIO=4&transport=websocket"
UPGRADE = "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def old(path, headers):
    """Return a request after which the connection ends."""
    return request(path, headers=headers).replace(b"HTTP/1.1", b"HTTP/1.0")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 400),
        (b"GET " + b"/" * 4000 + b" HTTP/1.1\r\n\r\n", 414),
        (request("/", headers="X: " + "x" * 9000 + "\r\n"), 400),
        (request("/", headers="".join(f"X{n}: y\r\n" for n in range(150))), 431),
        (request("/", headers="".join(f"X{n}: {'y' * 1000}\r\n" for n in range(90))), 400),
        (request("/", method="TRACE", headers="Connection: close\r\n"), 405),
        (request("/", method="CONNECT", headers="Connection: close\r\n"), 405),
        (request("/", method="WHATEVER", headers="Connection: close\r\n"), 405),
        (request("/", method="POST", headers="Transfer-Encoding: chunked\r\n") + b"f" * 100_000, 411),
        (request("/", method="POST", headers="Content-Length: 99999999999\r\n"), 413),
        (request("/", method="POST", headers="Content-Length: 1_0\r\n"), 400),
        (request("/", method="POST", headers="Content-Length: -1\r\n"), 400),
        (request("/", method="POST", headers="Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (request("/socket.io/?EIO=3&transport=polling", headers="Connection: close\r\n"), 400),
        (request(PATH + "&j=0", headers="Connection: close\r\n"), 400),
        (request(PATH + "&sid=nobody", headers="Connection: close\r\n"), 400),
        (request(SOCKET, headers=UPGRADE + "Connection: close\r\nSec-WebSocket-Version: 13\r\n"), 400),
        (old(SOCKET, UPGRADE + "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"), 426),
        (old(SOCKET, "Upgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key1: 1 2\r\n"), 400),
    ],
)
def test_strangers_learn_nothing_and_write_no_log(daemon, data, status):
    log = daemon.log
    answer = exchange(daemon.port, data, timeout_s=30.0)
    assert answer == b"" or int(answer[9:12]) == status  # a reset may overtake the answer to what isn't read
    assert not re.search(rb"Traceback|Python|BaseHTTP|Werkzeug|eventlet|Server:|\.py", answer)
    assert daemon.log == log


def test_a_thousand_requests_at_once_on_one_connection(daemon):
    with connect(daemon.port, timeout_s=30.0) as client:
        sending = threading.Thread(target=client.sendall, args=(request("/api/v1/nothing") * 1000,))
        sending.start()
        answers, rest = 0, b""
        while answers < 1000:
            part = client.recv(65536)
            assert part
            *starts, rest = (rest + part).split(b"HTTP/1.1 404")
            answers += len(starts)
        sending.join()


def test_who_polls_twice_at_a_time_is_dropped(daemon):
    session = PollingClient(daemon.port)
    session.join("kitchen")
    with connect(daemon.port) as first, connect(daemon.port) as second:
        for client in (first, second) * 3:  # one of them comes while another waits or isn't read
            client.sendall(request(session.path))
        wait_until(lambda: b" 400 " in session.post(b"3")[:20], "the session is ended")
