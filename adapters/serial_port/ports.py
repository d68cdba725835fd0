"""Opening a port, and reading bytes from it without blocking the hub."""

import contextlib
import fcntl
import io
import posix
import termios
from typing import Any, Protocol

import serial
from serial import serialposix

from adapters.serial_port import words
from adapters.serial_port.config import SerialConfig
from gateway import runtime
from gateway.errors import AdapterDown
from gateway.runtime import Worker

READ_BYTES = 4096
_CFLAG = 2  # index of the control modes in what tcgetattr returns


class Port(Protocol):
    """An open port."""

    def read(self, timeout_s: float) -> bytes:
        """Return what is there, or comes within ``timeout_s``; empty: nothing came.

        Raises ``OSError`` when the port is gone.
        """

    def close(self) -> None:
        """Release it."""


def open_port(config: SerialConfig, worker: Worker) -> Port:
    """Open what ``url`` names; a device in the thread of ``worker``, for drivers may take their time.

    Raises
    ------
    AdapterDown
        It isn't there, is busy, or isn't ours to open: in words, with the remedy.
    """
    try:
        port = serial.serial_for_url(config.url, do_not_open=True, **config.line_settings())
        if config.dtr is not None:
            port.dtr = config.dtr
        if config.rts is not None:
            port.rts = config.rts
        return _opened_device(port, config, worker) if isinstance(port, serial.Serial) else _opened_url(port)
    except (OSError, ValueError, termios.error) as error:
        raise AdapterDown(worker.call(words.why_not_open, config.url, error)) from error


class Device:
    """A terminal of this machine, ours alone; its descriptor is read as pyserial would, at a hundredth of the cost.

    Parameters
    ----------
    port
        Not open yet.
    config
        For what happens to DTR when it closes.
    worker
        Opens and closes it.
    """

    def __init__(self, port: serial.Serial, config: SerialConfig, worker: Worker) -> None:
        self._port = port
        self._worker = worker
        self._hang_up = config.dtr is True
        self._descriptor = _Descriptor(-1)

    def open(self) -> None:
        """Open it; raises what the system and pyserial raise."""
        self._worker.call(self._open)
        self._descriptor = _Descriptor(self._port.fileno())

    def read(self, timeout_s: float) -> bytes:
        """Return what is there; see ``Port``."""
        return self._descriptor.read(timeout_s)

    def close(self) -> None:
        """Let others open it again."""
        self._worker.call(self._close)

    def _open(self) -> None:
        # In the daemon `os.open` is green, and would start a second hub in this thread.
        vars(serialposix)["os"] = posix
        self._port.exclusive = True  # a lock that others may ignore …
        self._port.open()
        try:
            fcntl.ioctl(self._port.fileno(), termios.TIOCEXCL)  # … and one that they can't
            if not self._hang_up:
                _keep_dtr(self._port.fileno())
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # it may be gone
            fcntl.ioctl(self._port.fileno(), termios.TIOCNXCL)
        with contextlib.suppress(OSError):
            self._port.close()


def _keep_dtr(fd: int) -> None:
    # Else the kernel drops DTR at the last close, and raising it at the next open resets an Arduino.
    modes = termios.tcgetattr(fd)
    modes[_CFLAG] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, modes)


class _Descriptor:
    """Reads a non-blocking descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._empty = 0

    def read(self, timeout_s: float) -> bytes:
        if not runtime.wait_readable(self._fd, timeout_s):
            return b""
        try:
            data = runtime.read_now(self._fd, READ_BYTES)
        except BlockingIOError:
            return b""
        # A terminal may be readable once with nothing to read; one that stays so has hung up (docs/traps.md 3.6).
        self._empty = 0 if data else self._empty + 1
        if self._empty > 1:
            raise OSError("hung up")
        return data


class _Polled:
    """A pyserial URL without a descriptor: ``loop://``, ``rfc2217://``."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def read(self, timeout_s: float) -> bytes:
        self._port.timeout = timeout_s
        return bytes(self._port.read(min(self._port.in_waiting or 1, READ_BYTES)))

    def close(self) -> None:
        runtime.spawn(self._port.close)  # waits some seconds for a thread of its own


class _Socket(_Polled):
    """A pyserial URL that is a connection."""

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self._descriptor = _Descriptor(port.fileno())

    def read(self, timeout_s: float) -> bytes:
        return self._descriptor.read(timeout_s)


def _opened_device(port: serial.Serial, config: SerialConfig, worker: Worker) -> Port:
    device = Device(port, config, worker)
    device.open()
    return device


def _opened_url(port: Any) -> Port:
    port.open()
    try:
        return _Socket(port)
    except io.UnsupportedOperation:
        return _Polled(port)
