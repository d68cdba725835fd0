"""Tables of medians."""

import statistics
from pathlib import Path

from scenarios import SCENARIOS

COLUMNS = [  # heading, key, format
    ("delivered %", "delivered", "{:.1f}"),
    ("readings/s", "sustained", "{:.0f}"),
    ("per CPU-s", "per_cpu_s", "{:.0f}"),
    ("CPU s", "cpu_s", "{:.2f}"),
    ("of", "window_s", "{:.1f}"),
    ("p50 ms", "p50", "{:.1f}"),
    ("p99 ms", "p99", "{:.1f}"),
    ("bytes/reading", "wire_bytes", "{:.0f}"),
    ("RSS start", "rss_start_mb", "{:.0f}"),
    ("RSS end", "rss_end_mb", "{:.0f}"),
    ("RSS peak MB", "rss_peak_mb", "{:.0f}"),
    ("start-up s", "startup_s", "{:.2f}"),
    ("load %", "load_share", "{:.0f}"),
    ("noise %", "noise", "{:.0f}"),
]


def noise(r):
    """CPU that other processes and the hypervisor took meanwhile, in % of one CPU."""
    ours = r["cpu_s"] + r["load_cpu_s"] + sum(r["broker_cpu_s"].values())
    return max(0, 100 * (r["machine_busy_s"] - ours) / r["window_s"])


MARKS = "<!-- {} from here, by bench/run.py -->", "<!-- to here -->"


def put_into(path, name, text):
    """Replace what stands between the marks of ``name`` in a document."""
    begin, end = MARKS[0].format(name), MARKS[1]
    before, found, rest = Path(path).read_text().partition(begin)
    if not found:
        raise SystemExit(f"{path}: no line {begin}")
    after = rest.partition(end)[2]
    Path(path).write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}")


def table(rows, against=()):
    """Markdown: medians per peer, by scenario, and ratios against some peers."""
    text = []
    for name in dict.fromkeys(r["scenario"] for r in rows):
        sc = SCENARIOS[name]
        text += [
            f"\n### {name}: {sc.rate or 'flood'} msg/s, {sc.devices} devices, {sc.subs} subscribers"
            f" x {sc.joins} devices, {sc.seconds} s, QoS {sc.qos}"
            + (f", {sc.stall} stalled" if sc.stall else "")
            + (f", window {sc.inflight}" if sc.inflight else "")
        ]
        columns = COLUMNS + (
            [("fds start", "fds_start", "{:.0f}"), ("fds end", "fds_end", "{:.0f}")] if sc.stall else []
        )
        head = [h for h, *_ in columns] + ["runs"] + [f"per CPU-s vs {peer}" for peer in against]
        text += ["", "| peer | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
        mine = [r if "error" in r else {**r, "noise": noise(r)} for r in rows if r["scenario"] == name]

        def median(peer, key):
            values = [r[key] for r in mine if r["peer"] == peer and r.get(key) is not None]
            return statistics.median(values) if values else None

        bases = [median(peer, "per_cpu_s") for peer in against]
        for peer in dict.fromkeys(r["peer"] for r in mine):
            good = [r for r in mine if r["peer"] == peer and "error" not in r]
            cells = []
            for _, key, form in columns:
                value = median(peer, key)
                cells.append("-" if value is None else form.format(value))
            cells.append(str(len(good)))
            value = median(peer, "per_cpu_s")
            cells += [f"{value / base:.2f}" if value and base else "-" for base in bases]
            text.append(f"| {peer} | " + " | ".join(cells) + " |")
        for r in mine:
            if "error" in r:
                text.append(f"\n{r['peer']}: {r['error']}")
    return "\n".join(text)
