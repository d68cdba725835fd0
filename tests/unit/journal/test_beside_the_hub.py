"""The journal in a green process, as the daemon is one."""

import subprocess
import sys
from pathlib import Path

_GREEN = """
import warnings
warnings.filterwarnings("ignore", message=r"\\s*Eventlet is deprecated")
import eventlet
eventlet.monkey_patch()
import sys
from pathlib import Path
from gateway import runtime
from gateway.journal import Journal, Queries
from tests.support.journals import START, entry, reading, settings

path, posted, ticks = Path(sys.argv[1]), [], [0]

def tick():
    while True:
        ticks[0] += 1
        runtime.sleep(0.001)

def wait_for(entries):
    with eventlet.Timeout(20):
        while len(posted) < entries:
            runtime.sleep(0.001)

inbox = runtime.Inbox(lambda committed: posted.extend(committed.entries))
runtime.spawn(inbox.run)
runtime.spawn(tick)
journal = Journal(path, settings(), inbox.post, lambda: START)
journal.open()
for n in range(200):
    journal.append(entry(reading("a", START + n)))
    wait_for(n + 1)
assert ticks[0] > 20, "the hub stood still"
reader = runtime.Worker("reader")
assert len(reader.call(Queries(path).after, "a", 0, None, 1000)) == 200
for n in range(500):
    journal.append(entry(reading("a", START + n)))
runtime.Worker("closing").call(journal.close)
wait_for(700)
assert [one.readings[0].seq for one in posted] == list(range(1, 701))
print("done")
"""


def test_commits_reach_the_hub_which_never_waits(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _GREEN, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.stdout, run.stderr) == ("done\n", "")
