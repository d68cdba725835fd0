"""What is measured."""

import sys
from dataclasses import dataclass


@dataclass
class Scenario:
    name: str
    rate: int  # readings per second over all devices; 0: flood
    devices: int
    subs: int
    joins: int  # devices each subscriber watches
    seconds: int
    qos: int = 0
    stall: int = 0  # of the subscribers
    inflight: int = 0  # QoS 1 window of the source broker; 0: its default, 20

    @property
    def expected(self):
        return self.rate * self.seconds * (self.subs - self.stall) * self.joins // self.devices


SCENARIOS = {
    s.name: s
    for s in [
        *(Scenario(f"ingest-{r // 1000}k", r, 50, 1, 50, 8) for r in (1000, 3000, 10000, 20000)),
        *(Scenario(f"ingest1-{r // 1000}k", r, 50, 1, 1, 8) for r in (3000, 10000)),
        Scenario("fanout-1x200", 100, 1, 200, 1, 8),
        Scenario("fanout-10x20", 1000, 10, 200, 1, 8),
        Scenario("fanout-1x100", 1000, 1, 100, 1, 8),
        Scenario("idle", 10, 10, 200, 1, 20),
        Scenario("slow", 1000, 1, 100, 1, 30, 0, 10),
        Scenario("stall", 100, 1, 100, 1, 60, 0, 10),  # as slow, within reach of every peer
        Scenario("max", 0, 50, 1, 50, 8, 1),
        Scenario("max-wide", 0, 50, 1, 50, 8, 1, inflight=1000),
        Scenario("smoke", 500, 10, 20, 1, 4),
        # how cost grows: three points each
        *(Scenario(f"grow-devices-{n}", 1000, n, 1, n, 8) for n in (10, 100, 1000)),
        *(Scenario(f"grow-viewers-{n}", 100, 1, n, 1, 8) for n in (10, 50, 200)),
        *(Scenario(f"grow-rate-{r}", r, 50, 1, 50, 8) for r in (100, 1000, 10000)),
    ]
}
GROUPS = {"table": "ingest-20k,ingest-1k,max-wide,fanout-1x200,fanout-10x20,fanout-1x100".split(",")}


def scenario_names(text):
    """Exact names, a group, or a family: "ingest" is every "ingest-..."."""
    names = []
    for word in text.split(","):
        found = GROUPS.get(word) or [n for n in SCENARIOS if n == word or n.startswith(word + "-")]
        names += found or sys.exit(f"no scenario {word!r}")
    return list(dict.fromkeys(names))
