"""The way to a running daemon: HTTP over its control socket."""

import http.client
import json
import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

NOT_RUNNING = 3
"""Exit status where no daemon answers: systemctl's "program is not running"."""
_ANSWER_TIMEOUT_S = 10.0
_DONE_TIMEOUT_S = 120.0
"""For what may take thousands of commits."""
_REFUSALS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})
_SILENCE_S = 30.0
"""The daemon writes an empty line every few seconds where there is nothing to tell."""


class NotRunning(click.ClickException):
    """No daemon answers; the message says where it was looked for, and what to do."""

    exit_code = NOT_RUNNING


class Refused(click.ClickException):
    """The daemon says no, and why."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Control:
    """Asks the daemon behind one control socket.

    Parameters
    ----------
    path
        Of the socket.
    start
        The command that starts this daemon, for whom it concerns.
    """

    def __init__(self, path: Path, start: str) -> None:
        self.path = path
        self._start = start

    def get(self, target: str) -> Any:
        """Return the JSON at ``target``: a shape of ``gateway.cli.shapes``.

        Raises
        ------
        NotRunning
            No daemon answers, or not in the way of one.
        Refused
            What is asked for isn't there.
        """
        return self._ask("GET", target, _ANSWER_TIMEOUT_S)

    def post(self, target: str) -> Any:
        """Let the daemon do ``target``, and return the JSON that it answers; raises as ``get`` does."""
        return self._ask("POST", target, _DONE_TIMEOUT_S)

    def _ask(self, method: str, target: str, timeout_s: float) -> Any:
        connection = _Connection(self.path, timeout_s)
        try:
            with self._request(connection, target, method) as response:
                return json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._explain(error) from error
        finally:
            connection.close()

    def tail(self, devices: tuple[str, ...]) -> Iterator[bytes]:
        """Yield a line of JSON for the readings of each commit, of ``devices`` or of all.

        Ends only by an exception.

        Raises
        ------
        NotRunning
            No daemon answers, or no longer.
        """
        connection = _Connection(self.path, _SILENCE_S)
        query = urlencode([("device", device) for device in devices])
        try:
            with self._request(connection, f"/tail?{query}") as response:
                while line := response.readline():
                    if line.strip():
                        yield line
        except (OSError, http.client.HTTPException) as error:
            raise self._explain(error) from error
        finally:
            connection.close()
        raise NotRunning(f"The gateway at {self.path} has gone away.")

    @staticmethod
    def _request(connection: _Connection, target: str, method: str = "GET") -> http.client.HTTPResponse:
        connection.request(method, target)
        response = connection.getresponse()
        if response.status in _REFUSALS and response.headers.get_content_type() == "text/plain":
            with response:
                raise Refused(response.read().decode(errors="replace").strip())
        if response.status != HTTPStatus.OK:
            response.close()
            raise http.client.HTTPException(f"it answers {response.status} {response.reason} to {target}")
        return response

    def _explain(self, error: Exception) -> NotRunning:
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return NotRunning(f"The gateway isn't running: nobody answers at {self.path}. Start it with: {self._start}")
        if isinstance(error, PermissionError):
            return NotRunning(f"No permission to use {self.path}: become a member of the group that owns it.")
        if isinstance(error, TimeoutError):
            return NotRunning(f"The gateway at {self.path} doesn't answer.")
        if isinstance(error, ConnectionError | http.client.IncompleteRead | http.client.RemoteDisconnected):
            return NotRunning(f"The gateway at {self.path} has gone away.")
        return NotRunning(f"What answers at {self.path} is no gateway of this version: {error}")
