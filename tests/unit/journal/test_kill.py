"""kill -9 at any moment: what was posted is there, and no ``seq`` names two readings."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.journals import asking, opened

# Prints a line for each reading that was posted with its seq: "device seq value".
_WRITER = """
import os, sys
from itertools import count
from pathlib import Path
from gateway.journal import Journal
from tests.support.journals import START, entry, reading, settings

def post(committed):
    lines = [f"{r.device} {r.seq} {r.values['value']}\\n" for e in committed.entries for r in e.readings]
    os.write(1, "".join(lines).encode())

journal = Journal(Path(sys.argv[1]), settings(), post, lambda: START)
journal.open()
for n in count():
    while journal.backlog > 500:
        pass
    journal.append(entry(reading(f"device-{n % 5}", START + n, f"{sys.argv[2]}-{n}")))
"""


def _write_until_killed(path: Path, run: int, lines: int) -> list[tuple[str, int, str]]:
    command = [sys.executable, "-c", _WRITER, str(path), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        posted = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        posted += process.stdout.readlines()
    whole = [line for line in posted if line.endswith("\n")]
    return [(device, int(seq), value) for device, seq, value in map(str.split, whole)]


def test_what_was_posted_survives_kill_9_and_is_there_once(path: Path) -> None:
    chance = random.Random(2)
    posted: dict[tuple[str, int], str] = {}
    for run in range(10):
        for device, seq, value in _write_until_killed(path, run, chance.randrange(1, 400)):
            assert (device, seq) not in posted
            posted[device, seq] = value
        _check(path, posted)


def _check(path: Path, posted: dict[tuple[str, int], str]) -> None:
    with opened(path) as it:
        assert it.opened.problem == ""
        for known in it.opened.devices:
            stored = asking(path).after(known.device, 0, None, 10**6, 2**30)
            assert [one.seq for one in stored] == list(range(1, len(stored) + 1))
            bodies = {one.seq: one.body.decode() for one in stored}
            for (device, seq), value in posted.items():
                if device == known.device:
                    assert f'"{value}"' in bodies[seq]
    assert {device for device, _ in posted} <= {known.device for known in it.opened.devices}
