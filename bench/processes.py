"""Starting, stopping and weighing processes."""

import os
import signal
import socket
import subprocess
import sys
import time

import drivers
from drivers import WORK

BIN, TICK = f"{WORK}/bin", os.sysconf("SC_CLK_TCK")


def build():
    os.makedirs(BIN, exist_ok=True)
    for name in ("mqttpub", "wsdrain"):
        source, target = f"{drivers.HERE}/load/{name}.c", f"{BIN}/{name}"
        if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
            subprocess.run(["cc", "-O2", "-std=c99", "-Wall", "-o", target, source], check=True)


def spawn(cpu, command, log, env=None, cwd=None, pipe=False):
    out = subprocess.PIPE if pipe else open(f"{WORK}/logs/{log}.log", "ab")
    return subprocess.Popen(
        ["taskset", "-c", str(cpu), *map(str, command)],
        cwd=cwd,
        text=pipe,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=None if pipe else out,
        env={**os.environ, **(env or {})},
    )


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(4)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tree(pid):
    """pid and its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as f:
                    parents.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
            except OSError:
                pass
    found = [pid]
    for p in found:
        found += parents.get(p, [])
    return found


def cpu_seconds(pid):
    """User + system time of the tree, with children that have ended."""
    ticks = 0
    for p in tree(pid):
        try:
            with open(f"/proc/{p}/stat") as f:
                ticks += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:15]))
        except OSError:
            pass
    return ticks / TICK


def memory(pid, field):
    """VmRSS or VmHWM of the tree, in MiB."""
    kib = 0
    for p in tree(pid):
        try:
            with open(f"/proc/{p}/status") as f:
                kib += sum(int(line.split()[1]) for line in f if line.startswith(field + ":"))
        except OSError:
            pass
    return kib / 1024


def open_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def machine_busy():
    """Busy CPU seconds of the whole machine, and stolen ones."""
    with open("/proc/stat") as f:
        v = [int(x) / TICK for x in f.readline().split()[1:]]
    return sum(v) - v[3] - v[4], v[7]


def wait_port(port, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"nothing listens on {port}")


def check_free(*ports):
    for port in ports:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                sys.exit(f"port {port} is in use")
