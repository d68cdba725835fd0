"""Measure the time from start to ready, with an empty journal and with a million readings. Usage: python -m bench.ready

Ready: the daemon says so in its log, and its page answers.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from gateway.journal import Journal
from gateway.model import Entry, Outcome, RawMessage, Reading, encode_body
from gateway.settings import JournalSettings

REPEATS = 5
CONFIG = """
[gateway]
name = "bench"
[web]
port = 0
[[adapters]]
name = "nobody"
type = "mqtt"
host = "127.0.0.1"
port = 9
[[adapters.routes]]
topic = "sensors/{device}"
"""


def fill(path: Path, readings: int, devices: int = 50) -> None:
    """Write readings that arrived lately, one a second and device."""
    room = threading.Semaphore(10_000)
    path.parent.mkdir(parents=True)
    journal = Journal(path, JournalSettings(), lambda committed: room.release(len(committed.entries) or 1))
    journal.open()
    start = time.time() - readings / devices - 60
    for n in range(readings):
        room.acquire()
        at = round(start + n / devices + (n * 7919 % 1000) / 1e6, 6)
        values = {"temperature": 20 + (n * 31 % 400) / 100, "humidity": 40 + (n * 17 % 200) / 10}
        device = f"device-{n % devices}"
        reading = Reading(device, at, values, encode_body(at, values))
        journal.append(Entry("bench", RawMessage(b"", at), Outcome.STORED, [reading]))
    journal.close()


def start(config: Path) -> tuple[float, float]:
    """Return the seconds until the log says ready, and until the page is there."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "gateway", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        for line in daemon.stderr:
            if found := re.search(r"ready on (http://\S+)", line):
                ready = time.monotonic() - begin
                with urllib.request.urlopen(found[1]) as page:
                    page.read()
                seen = time.monotonic() - begin
                threading.Thread(target=daemon.stderr.read, daemon=True).start()
                daemon.terminate()
                daemon.wait(20)
                return ready, seen
    raise SystemExit("gatewayd ended before it was ready")


def main() -> None:
    print("| journal | ready, median of 5 | page served |\n|---|---|---|")
    for readings in (0, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "gateway.toml"
            config.write_text(CONFIG)
            fill(Path(folder) / "state" / "journal.db", readings)
            runs = [start(config) for _ in range(REPEATS)]
            ready, seen = (statistics.median(times) for times in zip(*runs, strict=True))
            print(f"| {readings:,} readings | {ready:.2f} s | {seen:.2f} s |")


if __name__ == "__main__":
    main()
