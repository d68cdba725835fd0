"""Attacks on a gateway, as a process of its own: ``python -m tests.support.attacker NAME PORT`` until it is ended."""

import socket
import sys
import threading
import time

from tests.support.polling import PATH, connect, request
from tests.support.raw_client import BINARY, RawClient, client_frame

STRANGER = "127.0.0.2"
_PATIENCE_S = 5.0
_JOINS = b"".join(client_frame(b'42/telemetry,1["join",{"device":"d%d"}]' % (n % 900)) for n in range(10_000))
_FRAGMENTS = client_frame(b"4", final=False) + client_frame(b"", opcode=0, final=False) * 1000


def _flood(data, *, read=True):
    """Return an attack that joins, and then sends ``data`` again and again over one connection."""

    def attack(port):
        with RawClient(port) as client:
            client.join("d0")
            client.socket.settimeout(_PATIENCE_S)
            if read:
                threading.Thread(target=_drain, args=(client.socket,), daemon=True).start()
            while True:
                client.socket.sendall(data)

    return attack


def _drain(end):
    try:
        while end.recv(65536):
            pass
    except OSError:
        pass


def _connections(port):
    """Hold and renew a thousand connections from one address, of which each asks for a session."""
    opened = []
    for _ in range(1000):
        opened.append(connect(port, source=STRANGER))
        opened[-1].sendall(request(PATH))
    time.sleep(0.5)


def _half_open(port):
    """Hold handshakes that are begun and not ended."""
    opened = [connect(port, source=STRANGER) for _ in range(100)]
    for client in opened:
        client.sendall(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\n")
    time.sleep(1.0)


def _requests(port):
    """Ask for pages on one connection, without waiting for any."""
    with connect(port, timeout_s=_PATIENCE_S) as client:
        threading.Thread(target=_drain, args=(client,), daemon=True).start()
        while True:
            client.sendall(request("/api/v1/status") * 50)


ATTACKS = {
    "joins": _flood(_JOINS),
    "unread joins": _flood(_JOINS, read=False),
    "pings": _flood(client_frame(b"x" * 100, opcode=0x9) * 500),
    "fragments": _flood(_FRAGMENTS),
    "megabytes": _flood(client_frame(b"x" * 1_000_000)),
    "binary": _flood(client_frame(b"4", opcode=BINARY)),
    "connections": _connections,
    "half-open": _half_open,
    "requests": _requests,
}


def main():
    """Attack, and begin anew whenever the gateway ends it, a tenth of a second later."""
    name, port = sys.argv[1:]
    print("begun", flush=True)
    while True:
        try:
            ATTACKS[name](int(port))
        except (OSError, AssertionError, TypeError, socket.gaierror):
            time.sleep(0.1)


if __name__ == "__main__":
    main()
