"""Scripts under Node: each a client in a process of its own, which tells what comes as lines of JSON."""

import json
import shutil
import subprocess
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]


def node() -> str:
    """Return the path of Node: the system's, or the one that set-up installed."""
    found = shutil.which("node") or shutil.which("node", path=ROOT / ".venv" / "bin")
    assert found, "Node is missing: run make setup"
    return found


class NodeClient(ABC):
    """One script that runs; a context manager. It ends once its standard input does."""

    def __init__(self, script: Path, *arguments: str) -> None:
        self._command = [str(script), *arguments]

    def __enter__(self) -> Self:
        command = [node(), *self._command]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=5.0)
        self._reader.join(5.0)
        self._process.stdout.close()

    def send(self, event: str, *args: object) -> None:
        """Let it emit an event."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([event, *args]) + "\n")
        self._process.stdin.flush()

    @abstractmethod
    def _take(self, told: Any) -> None:
        """Take in what it told; called in a thread of its own."""

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # else it was killed amid a line
                self._take(json.loads(line))
