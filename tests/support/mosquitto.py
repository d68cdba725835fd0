"""A private Mosquitto for one test."""

import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from paho.mqtt import publish

from tests.support.ports import LOOPBACK, accepts, free_port, wait_until

PROGRAM = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class Mosquitto:
    """A broker on its own port, configuration and folder; a context manager.

    Parameters
    ----------
    directory
        Where configuration, log and persistent sessions go; made if missing.
    port
        On the loopback; default: a free one, kept over ``restart``.
    persistence
        Whether sessions and their queued messages survive ``restart``.
    lines
        More lines of mosquitto.conf, after the listener: TLS, passwords, limits.
    anonymous
        Whether clients need no name and password.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        persistence: bool = True,
        lines: Iterable[str] = (),
        anonymous: bool = True,
    ) -> None:
        self.port = port or free_port()
        self._directory = directory
        self._lines = [
            f"listener {self.port} {LOOPBACK}",
            f"allow_anonymous {str(anonymous).lower()}",
            "user root",  # else it drops to a user that can't write into the test's folder
            "max_queued_messages 100000",
            f"persistence {str(persistence).lower()}",
            f"persistence_location {directory}/",
            *lines,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self._directory / "mosquitto.log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        self._directory.mkdir(parents=True, exist_ok=True)
        config = self._directory / "mosquitto.conf"
        config.write_text("\n".join(self._lines) + "\n")
        with (self._directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, "-v", "-c", str(config)], stdout=log, stderr=log)
        wait_until(self._answers, "Mosquitto accepts connections", timeout_s=30.0)

    def stop(self) -> None:
        """End it in good order: persistent sessions are written."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once; nothing happens if it doesn't run."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start it on the same port and folder."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let it fall silent with its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._signal(signal.SIGCONT)

    def publish(self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False) -> None:
        """Publish one message, and wait until the broker has it."""
        self.publish_all([(topic, payload)], qos=qos, retain=retain)

    def publish_all(self, messages: Iterable[tuple[str, bytes | str]], *, qos: int = 1, retain: bool = False) -> None:
        """Publish ``(topic, payload)`` pairs in order over one connection."""
        publish.multiple([(*message, qos, retain) for message in messages], hostname=LOOPBACK, port=self.port)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Mosquitto ended: {self.log}"
        return accepts(self.port)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=10.0)
            self._process = None
