"""One run of one peer in one scenario."""

import json
import resource
import signal
import statistics
import subprocess
import time

import drivers
from drivers import WORK
from processes import BIN, check_free, cpu_seconds, machine_busy, memory, open_fds, spawn, stop, wait_port

GRACE = 3.0  # seconds a peer gets to deliver what is still queued


def run_once(peer, sc, needle=None, profile=None):
    result = {"peer": peer.name, "scenario": sc.name, "expected": sc.expected}
    running = []
    check_free(drivers.SOURCE, drivers.PEER, drivers.SINK, drivers.SINK_WS)
    try:
        brokers = {}
        for name, command in peer.brokers(sc).items():
            brokers[name] = spawn(1, command, f"broker-{name}")
            running.append(brokers[name])
            with open(command[-1]) as f:
                for line in f:
                    if line.startswith("listener"):
                        wait_port(int(line.split()[1]))
        command = peer.command(sc)
        begin = time.monotonic()
        server = spawn(0, command, peer.name, peer.env, peer.cwd)
        running.append(server)
        while not peer.ready(sc):
            if server.poll() is not None or time.monotonic() - begin > 60:
                raise RuntimeError(f"{peer.name} did not start, see {WORK}/logs/{peer.name}.log")
            time.sleep(0.01)
        result["startup_s"] = round(time.monotonic() - begin, 3)
        peer.warm_up(sc)

        drain = spawn(
            1,
            [
                f"{BIN}/wsdrain",
                "--conns",
                sc.subs,
                "--devices",
                sc.devices,
                "--joins",
                sc.joins,
                "--stall",
                sc.stall,
                "--expect",
                sc.expected,
                "--seconds",
                sc.seconds + 60,
                *(peer.drain(sc)[:-3]),
                *(["--needle", needle] if needle else []),
                *(peer.drain(sc)[-3:]),
            ],
            "drain",
            pipe=True,
        )
        running.append(drain)
        if drain.stdout.readline().strip() != "READY":
            raise RuntimeError(f"{peer.name}: subscribers could not join")
        time.sleep(0.5)

        result["fds_start"] = open_fds(server.pid)
        result["rss_start_mb"] = round(memory(server.pid, "VmRSS"), 1)
        cpu0, t0 = cpu_seconds(server.pid), time.monotonic()
        broker0 = {n: cpu_seconds(p.pid) for n, p in brokers.items()}
        busy0, steal0 = machine_busy()
        load0 = resource.getrusage(resource.RUSAGE_CHILDREN)
        prof = profile(server.pid) if profile else None
        host, port, qos, topic, payload = peer.publish(sc)
        pub = spawn(
            1, [f"{BIN}/mqttpub", host, port, sc.rate, sc.devices, sc.seconds, qos, topic, payload], "pub", pipe=True
        )
        running.append(pub)
        pub_out, _ = pub.communicate(timeout=sc.seconds + 60)
        result["rss_end_mb"] = round(memory(server.pid, "VmRSS"), 1)
        result["fds_end"] = open_fds(server.pid)  # did it drop the stalled ones?
        if sc.rate == 0:  # flood: what came in time counts
            window, cpu1 = time.monotonic() - t0, cpu_seconds(server.pid)
            drain.send_signal(signal.SIGTERM)
        try:
            drain_out, _ = drain.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            drain.send_signal(signal.SIGTERM)
            drain_out, _ = drain.communicate(timeout=10)
        if sc.rate:
            window, cpu1 = time.monotonic() - t0, cpu_seconds(server.pid)
        busy1, steal1 = machine_busy()
        load1 = resource.getrusage(resource.RUSAGE_CHILDREN)
        load_cpu = load1.ru_utime + load1.ru_stime - load0.ru_utime - load0.ru_stime
        broker_cpu = {n: cpu_seconds(p.pid) - broker0[n] for n, p in brokers.items()}
        if prof:
            stop(prof)
        if server.poll() is not None:
            raise RuntimeError(f"{peer.name} ended during the run, see {WORK}/logs/{peer.name}.log")
        got, sent = json.loads(drain_out), json.loads(pub_out)
        per_second = got.pop("per_second")
        del got["cpu_s"]
        result.update(got)
        result.update(
            published=sent["published"],
            acked=sent["acked"],
            pub_lag_ms=sent["max_lag_ms"],
            window_s=round(window, 2),
            cpu_s=round(cpu1 - cpu0, 2),
            broker_cpu_s={n: round(v, 2) for n, v in broker_cpu.items()},
            load_cpu_s=round(load_cpu, 2),
            # share of CPU 1 used by our own side: near 100, the load was the limit
            load_share=round(100 * (load_cpu + sum(broker_cpu.values())) / window),
            wire_bytes=round(got["bytes"] / max(got["readings"], 1), 1),
            rss_peak_mb=round(memory(server.pid, "VmHWM"), 1),
            machine_busy_s=round(busy1 - busy0, 2),
            steal_s=round(steal1 - steal0, 2),
            delivered=round(100 * got["readings"] / sc.expected, 2) if sc.expected else None,
            # the middle of the run, without the first and last second
            sustained=round(statistics.median(per_second[1:-1])) if len(per_second) > 2 else None,
        )
        result["per_cpu_s"] = round(got["readings"] / max(result["cpu_s"], 0.01))
    except (RuntimeError, subprocess.TimeoutExpired, json.JSONDecodeError) as e:
        result["error"] = str(e)
    finally:
        for process in reversed(running):
            stop(process)
    return result
