"""wsdrain against a server that frames awkwardly: what it counts must be exact.

    selftest.py PATH_OF_WSDRAIN

Sends, in pieces of 1 to 7 bytes or all at once: short, 16-bit and 64-bit
lengths, a binary frame, a message in three fragments that cut the needle and
have a ping between them, and a frame without any reading.
"""

import json
import socket
import struct
import subprocess
import sys
import threading
import time


def frame(payload, opcode=1, fin=True):
    n = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    if n < 126:
        return head + bytes([n]) + payload
    return head + (struct.pack(">BH", 126, n) if n < 65536 else struct.pack(">BQ", 127, n)) + payload


def reading():
    return b'{"ts": %.6f, "temperature": 21.5}' % time.time()


def messages():
    cut = reading()
    return [
        frame(reading()),
        frame(b"[" + reading() + b"," * 200 + reading() + b"]"),
        frame(b"x" * 70000 + reading() * 3),
        frame(reading(), 2),
        frame(b"no reading here"),
        frame(cut[:3], 1, False),
        frame(b"ping", 9),
        frame(cut[3:9], 0, False),
        frame(cut[9:], 0),
    ]


READINGS, FRAMES = 1 + 2 + 3 + 1 + 0 + 1, 8


def serve(listener, pongs):
    conn, _ = listener.accept()
    conn.recv(65536)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + frame(b"at once"))
    conn.sendall(b"".join(messages()))
    data = b"".join(messages())
    for at in range(0, 600, 3):  # dribble the short ones
        conn.sendall(data[at : at + 3])
    conn.sendall(data[600:])
    for _ in range(2):  # masked with zeros: 2 + 4 + 4 bytes
        pongs.append(conn.recv(10))
    time.sleep(1)


def main():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pongs = []
        threading.Thread(target=serve, args=(listener, pongs), daemon=True).start()
        out = subprocess.run(
            [
                sys.argv[1],
                "--mode",
                "raw",
                "--expect",
                str(2 * READINGS),
                "--seconds",
                "5",
                "127.0.0.1",
                str(listener.getsockname()[1]),
                "/",
            ],
            capture_output=True,
            text=True,
            timeout=20,
        ).stdout
    got = json.loads(out.splitlines()[-1])
    good = (
        got["readings"] == 2 * READINGS
        and got["frames"] == 2 * FRAMES + 1
        and 0 <= got["p50"] < 1000
        and pongs == [b"\x8a\x84\0\0\0\0ping"] * 2
    )
    print(
        f"awkward frames: {got['readings']} of {2 * READINGS} readings, {got['frames']} of "
        f"{2 * FRAMES + 1} frames, {len(pongs)} pongs: {'ok' if good else 'WRONG'}"
    )
    sys.exit(not good)


main()
