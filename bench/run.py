#!/usr/bin/env python3
"""Run benchmark scenarios against gateways, side by side. See README.md.

    run.py --peers ours,naive,mosquitto-ws --scenarios ingest,idle --repeat 3 \
           --against naive,mosquitto-ws --out results.jsonl
    run.py --list            peers and scenarios
    run.py --verify          check the measuring tools themselves
    run.py --report FILE     tables of an earlier run, nothing is measured

The peer is pinned to CPU 0; the publisher, the subscribers and every broker
that is not the peer itself to CPU 1. Peers are interleaved (A B A B).
"""

import argparse
import json
import os
import subprocess
import sys
import time

import drivers
import node_red  # noqa: F401  registers its peers
import other_gateways  # noqa: F401  registers its peers
from drivers import PEERS, WORK
from measure import run_once
from processes import BIN, build
from report import put_into, table
from scenarios import SCENARIOS, scenario_names


def verify():
    """A known rate must count exactly, a wrong needle 0, latency must be sane."""
    peer, sc = PEERS["mosquitto-ws"], SCENARIOS["smoke"]
    r = run_once(peer, sc)
    exact, sane = r.get("readings") == sc.expected, 0 < r.get("p50", 0) < r.get("p99", 0) < 100
    print(f"exact count: {r.get('readings')} of {sc.expected}: {'ok' if exact else 'WRONG'}")
    print(f"latency p50 {r.get('p50')} p99 {r.get('p99')} ms: {'ok' if sane else 'WRONG'}")
    wrong = run_once(peer, sc, needle='"no-such-key":')
    zero = wrong.get("readings") == 0 and wrong.get("frames", 0) > 0
    print(
        f"wrong needle: {wrong.get('readings')} readings in {wrong.get('frames')} frames: {'ok' if zero else 'WRONG'}"
    )
    awkward = subprocess.run([sys.executable, f"{drivers.HERE}/load/selftest.py", f"{BIN}/wsdrain"]).returncode
    return exact and sane and zero and not awkward


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--peers", default="ours,naive,mosquitto-ws")
    p.add_argument("--scenarios", default="ingest,fanout")
    p.add_argument("--repeat", type=int, default=1)
    p.add_argument("--against", help="names of the peers that ratios refer to")
    p.add_argument("--into", nargs=2, metavar=("FILE", "NAME"), help="put the tables between the marks of NAME in FILE")
    p.add_argument("--out", default=f"{WORK}/results.jsonl", help="JSON lines are appended here")
    p.add_argument("--strict", action="store_true", help="exit 1 unless every reading is delivered")
    p.add_argument("--list", action="store_true")
    p.add_argument("--verify", action="store_true")
    p.add_argument("--report", metavar="FILE")
    return p.parse_args()


def plan(args):
    """Each run: turn, scenario and peer; A B A B."""
    for turn in range(args.repeat):
        for name in scenario_names(args.scenarios):
            for peer in (PEERS[n] for n in args.peers.split(",")):
                allowed = peer.supports(SCENARIOS[name])
                if allowed is True:
                    yield turn + 1, SCENARIOS[name], peer
                elif turn == 0:
                    print(f"{peer.name} skips {name}: {allowed}", flush=True)


def summary(r):
    return r.get("error") or (
        f"{r['delivered']}% {r['per_cpu_s']}/cpu-s cpu {r['cpu_s']} of {r['window_s']} s, "
        f"p50 {r.get('p50')} p99 {r.get('p99')} ms, rss {r['rss_peak_mb']} MB"
    )


def measure(args):
    rows = []
    for turn, sc, peer in plan(args):
        r = run_once(peer, sc)
        rows.append(r)
        with open(args.out, "a") as f:
            f.write(json.dumps({"at": int(time.time()), **r}) + "\n")
        print(f"{turn} {sc.name:13} {peer.name:14}", summary(r), flush=True)
    show(args, rows)
    return all(r.get("delivered") == 100 for r in rows)


def show(args, rows):
    text = table(rows, args.against.split(",") if args.against else ())
    print(text)
    if args.into:
        put_into(*args.into, text)


def main():
    args = arguments()
    if args.list:
        return print("peers:", *PEERS, "\nscenarios:", *SCENARIOS)
    if args.report:
        with open(args.report) as f:
            return show(args, [json.loads(line) for line in f])
    os.makedirs(f"{WORK}/logs", exist_ok=True)
    build()
    if args.verify:
        sys.exit(0 if verify() else 1)
    complete = measure(args)
    sys.exit(1 if args.strict and not complete else 0)


if __name__ == "__main__":
    main()
