"""The serial adapter on pseudo-terminals and sockets."""

import fcntl
import os
import socket
import termios
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
import serial
from serial import rfc2217

from tests.support.adapter_process import AdapterProcess
from tests.support.ports import LOOPBACK
from tests.support.ptys import VirtualPort


@pytest.fixture
def port(tmp_path: Path) -> Iterator[VirtualPort]:
    with VirtualPort(tmp_path / "sensor") as plugged:
        yield plugged


def table(url: object, **more: object) -> dict[str, Any]:
    return {"name": "bench", "type": "serial", "url": str(url), "device": "bench", **more}


def payloads(adapter: AdapterProcess) -> list[bytes]:
    return [message["payload"] for message in adapter.messages]


def test_lines_arrive_in_order_however_fast(port: VirtualPort) -> None:
    lines = [b"%d,21.5" % n for n in range(20_000)]
    with AdapterProcess(table(port.link)) as adapter:
        adapter.run_until_up()
        writer = threading.Thread(target=port.write, args=(b"\n".join(lines) + b"\n",))
        writer.start()
        adapter.wait_messages(20_000)
        writer.join()
        assert payloads(adapter) == lines


def test_a_line_in_pieces_is_one_message(port: VirtualPort) -> None:
    with AdapterProcess(table(port.link)) as adapter:
        adapter.run_until_up()
        port.write(b"21.")
        adapter.settled_down()
        port.write(b"5\r\n22.0\n")
        adapter.wait_messages(2)
        assert payloads(adapter) == [b"21.5", b"22.0"]


def test_a_line_that_had_begun_is_not_believed(port: VirtualPort) -> None:
    talking = threading.Event()

    def talk() -> None:
        while not talking.wait(0.001):
            port.write(b"21.5,66.0\n")

    speaker = threading.Thread(target=talk)
    speaker.start()
    try:
        with AdapterProcess(table(port.link)) as adapter:
            adapter.run_until_up()
            adapter.wait_messages(5)
    finally:
        talking.set()
        speaker.join()
    first, *others = adapter.messages
    assert first["flaw"] == "the line may have begun before the port was opened"
    assert {(message["payload"], message["flaw"]) for message in others} == {(b"21.5,66.0", "")}


@pytest.mark.parametrize("loss", ["unplugged", "closed"])
def test_a_line_whose_end_did_not_come_is_not_believed_either(port: VirtualPort, loss: str) -> None:
    with AdapterProcess(table(port.link)) as adapter:
        adapter.run_until_up()
        port.write(b"21.5\n22.")
        adapter.wait_messages(1)
        adapter.settled_down()
        if loss == "closed":
            adapter.stop()
        else:
            port.unplug()
            adapter.wait_down()
        whole, part = adapter.wait_messages(2)
        assert (whole["payload"], whole["flaw"]) == (b"21.5", "")
        flaw = "the port was closed, or lost, before the end of the line came"
        assert (part["payload"], part["flaw"]) == (b"22.", flaw)


def test_a_line_after_a_quiet_start_is_believed(port: VirtualPort) -> None:
    with AdapterProcess(table(port.link)) as adapter:
        adapter.run_until_up()
        port.write(b"21.5\n")
        (message,) = adapter.wait_messages(1)
        assert (message["payload"], message["flaw"]) == (b"21.5", "")


def test_too_long_a_line_is_flawed_and_the_next_is_not(port: VirtualPort) -> None:
    with AdapterProcess(table(port.link, max_line="16B")) as adapter:
        adapter.run_until_up()
        port.write(b"x" * 100 + b"\n21.5\n")
        flawed, whole = adapter.wait_messages(2)
        assert (flawed["flaw"], flawed["size"], flawed["whole_size"]) == ("line longer than 16 bytes", 16, 100)
        assert (whole["flaw"], whole["payload"]) == ("", b"21.5")


def test_unplug_and_replug_under_the_same_link(port: VirtualPort) -> None:
    with AdapterProcess(table(port.link)) as adapter:
        for number in range(3):
            adapter.run_until_up()
            port.write(b"%d\n" % number)
            adapter.wait_messages(number + 1)
            port.unplug()
            assert adapter.wait_down() == f"{port.link}: unplugged, or the connection is lost"
            adapter.run()
            assert adapter.wait_down().startswith(f"{port.link}: no such port; there ")
            port.plug()
        assert payloads(adapter) == [b"0", b"1", b"2"]


def test_two_gateways_do_not_share_a_port(port: VirtualPort) -> None:
    with AdapterProcess(table(port.link)) as one, AdapterProcess(table(port.link)) as other:
        one.run_until_up()
        other.run()
        assert other.wait_down() == f"{port.link}: another process has it open"
        one.stop()
        other.run_until_up()


def test_after_closing_others_may_have_the_port(port: VirtualPort) -> None:
    held = os.open(port.link, os.O_RDWR | os.O_NOCTTY)  # what is set on a terminal lasts while somebody has it open
    try:
        with AdapterProcess(table(port.link)) as adapter:
            adapter.run_until_up()
            assert exclusive(held)
            adapter.stop()
            assert not exclusive(held)
    finally:
        os.close(held)


@pytest.mark.parametrize(("dtr", "hang_up"), [(None, False), (False, False), (True, True)])
def test_closing_resets_no_arduino_unless_asked_to(port: VirtualPort, dtr: bool | None, hang_up: bool) -> None:
    with AdapterProcess(table(port.link, dtr=dtr)) as adapter:
        held = os.open(port.link, os.O_RDWR | os.O_NOCTTY)
        set_hang_up(held)
        try:
            adapter.run_until_up()
            control_modes = termios.tcgetattr(held)[2]
        finally:
            os.close(held)
        assert bool(control_modes & termios.HUPCL) is hang_up


def test_what_is_no_port_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no port")
    with AdapterProcess(table(tmp_path / "file")) as adapter:
        adapter.run()
        assert adapter.wait_down() == f"{tmp_path / 'file'}: is not a serial port"


def test_a_port_behind_a_socket() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        with AdapterProcess(table(f"socket://{LOOPBACK}:{listener.getsockname()[1]}")) as adapter:
            adapter.run_until_up()
            sensor, _ = listener.accept()
            with sensor:
                sensor.sendall(b"21.5\n22.0\n")
                adapter.wait_messages(2)
            assert "the connection is lost" in adapter.wait_down()
        assert payloads(adapter) == [b"21.5", b"22.0"]


def test_an_absent_socket_is_named() -> None:
    with AdapterProcess(table(f"socket://{LOOPBACK}:1")) as adapter:
        adapter.run()
        assert adapter.wait_down() == f"socket://{LOOPBACK}:1: connection refused"


def test_a_port_behind_rfc2217() -> None:
    with RemotePort() as remote, AdapterProcess(table(remote.url)) as adapter:
        adapter.run_until_up()
        remote.write(b"21.5\n22.0\n")
        adapter.wait_messages(2)
        adapter.stop()
        assert payloads(adapter) == [b"21.5", b"22.0"]


class RemotePort:
    """A serial port in the network: pyserial's own server side of RFC 2217."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"rfc2217://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # where nobody came
        self._thread.join()
        self._listener.close()

    def write(self, data: bytes) -> None:
        self._connection.sendall(b"".join(self._manager.escape(data)))

    def _serve(self) -> None:
        with suppress(OSError):  # nobody came, or it left without a word
            self._connection, _ = self._listener.accept()
            self._pass_on()

    def _pass_on(self) -> None:
        with self._connection, serial.serial_for_url("loop://") as behind:
            self._manager = rfc2217.PortManager(behind, SimpleNamespace(write=self._connection.sendall))
            while received := self._connection.recv(1024):
                list(self._manager.filter(received))


def exclusive(fd: int) -> bool:
    answer = bytearray(4)
    fcntl.ioctl(fd, 0x80045440, answer)  # TIOCGEXCL
    return bool(int.from_bytes(answer, "little"))


def set_hang_up(fd: int) -> None:
    modes = termios.tcgetattr(fd)
    modes[2] |= termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, modes)
