"""Live in simulated time: a journal, a transport that takes all, and what an emission costs."""

from contextlib import contextmanager, nullcontext

import orjson

from gateway.journal import Stored
from gateway.journal.condensing import condensed
from gateway.live import Live, Traffic, catching_up, emissions, live, recall
from gateway.model import Reading, encode_body
from gateway.runtime import sleep

STEP_S = 0.001
DEAR_S = 10e-6
"""That a packet costs for each who gets it."""


class World:
    """A journal, a transport that takes all, and time; one packet to one viewer costs ``each_s`` of the hub."""

    def __init__(self, each_s):
        self.at, self.spent, self.each_s = 1000.0, 0.0, each_s
        self.readings, self.rooms, self.got, self.full = {}, {}, {}, set()
        self.fails_for = None
        self.is_over = False
        self.live = Live(self, self, lambda: self.spent)
        self.joined = set()

    def monotonic(self):
        return self.at

    def sleep(self, seconds):
        end = self.at + seconds
        while self.at < end and not self.is_over:
            sleep(0)

    def run(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            self.at += STEP_S
            self.turn()

    def turn(self):
        for _ in range(6):
            sleep(0)

    def watch(self, count, device="d", max_hz=None):
        for number in range(count):
            self.live.join(f"{device}{number}", device, None, 0, max_hz)
        self.run(0.2)
        assert sum(len(room) for room in self.rooms.values()) >= count

    def publish(self, device="d", count=1, *, kept=True, value=lambda _: 1):
        stored = self.readings.setdefault(device, [])
        new = []
        for _ in range(count):
            seq, values = len(stored) + 1 if kept else None, {"n": value(len(stored) + 1)}
            new.append(Reading(device, self.at, values, encode_body(self.at, values), seq))
            if kept:
                stored.append(new[-1])
        self.live.publish(device, new)

    def seqs(self, viewer):
        return [
            r["seq"] for _, event, data in self.got.get(viewer, ()) if event == "readings" for r in data["readings"]
        ]

    def delays(self, viewer):
        events = self.got.get(viewer, ())
        return [at - r["ts"] for at, event, data in events if event == "readings" for r in data["readings"]]

    def packets(self, viewer):
        return [data["readings"] for _, event, data in self.got.get(viewer, ()) if event == "readings"]

    # ---- the transport and the journal

    def send(self, viewer, event, payload):
        self.got.setdefault(viewer, []).append((self.at, event, orjson.loads(orjson.dumps(payload))))

    def send_all(self, viewer, events):
        for event in events:
            self.send(viewer, *event)

    def together(self):
        """Return a block that changes nothing here."""
        return nullcontext()

    def send_room(self, device, event, payload):
        if device == self.fails_for:
            raise ZeroDivisionError("a defect")
        room = self.rooms[device]
        self.spent += self.each_s * len(room)
        for viewer in room - self.full:
            self.send(viewer, event, payload)
        return room & self.full

    def enter(self, viewer, device):
        self.rooms.setdefault(device, set()).add(viewer)

    def leave(self, viewer, device):
        self.rooms[device].discard(viewer)

    def progress(self, viewer):
        handed, _, answered, *_ = self.traffic(viewer)
        return handed, answered

    def traffic(self, viewer):
        self.joined.add(viewer)
        handed = len(self.got.get(viewer, ()))
        return Traffic(handed, handed, 0 if viewer in self.full else handed)

    def ask(self, viewer):
        return True

    def after(self, device, after, upto, limit):
        sleep(0)
        return [Stored(r.seq, r.ts, r.body) for r in self.readings[device][after:upto][:limit]]

    def condensed(self, device, after, upto, budget):
        sleep(0)

        def back(*, after, limit, most_bytes):
            found = self.readings[device][max(after - 1 - limit, 0) : after - 1]
            return [Stored(r.seq, r.ts, r.body) for r in found[::-1]]

        return condensed(back, after, upto, budget)


@contextmanager
def simulated(monkeypatch, each_s=DEAR_S):
    """Let live go by the time of a new world; in the end nothing of it goes on."""
    world = World(each_s)
    for module in (emissions, catching_up, recall, live):
        monkeypatch.setattr(module, "monotonic", world.monotonic)
    for module in (emissions, catching_up):
        monkeypatch.setattr(module, "sleep", world.sleep)
    try:
        yield world
    finally:
        world.is_over = True
        for viewer in world.joined:
            world.live.gone(viewer)
        world.turn()
