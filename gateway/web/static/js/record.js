/* What a page knows of one device: its readings as series, its position, and what is missing. */

import { Series } from "./series.js";

const MOST_POINTS = 1_000_000; // over all metrics: some 30 MB
const MOST_METRICS = 256;
const MOST_BREAKS = 50;
const MOST_WAITING = 10_000;
export const MOST_READINGS = 100_000;
export const RECENT = 20;

export class Record {
  constructor() {
    this.clear();
  }

  clear() {
    this.first = null; // the oldest and the newest `seq` that is here
    this.last = null;
    this.newest = null; // time of the newest reading
    this.total = 0;
    this.numbers = new Map(); // metric -> Series of numbers
    this.states = new Map(); // metric -> Series of words and booleans
    this.breaks = []; // {from, to, reason, start, end}: times around what is missing
    this.recent = [];
    this.waiting = new Set(); // what came without `seq`: it comes again with one when the disk takes it
  }

  /**
   * Take readings in order of `seq`; return how many were new. What has no `seq` doesn't move the position.
   * `thinned`: {from, to} of all that these stand for, where few were asked for.
   */
  add(readings, thinned = null) {
    const oldest = this.first ?? Infinity; // before any of these
    const fresh = readings.filter((reading) => this.#place(reading, oldest, thinned));
    this.#chart(fresh.filter((reading) => !this.#wasShown(reading)));
    this.#remember(fresh);
    return fresh.length;
  }

  /** Whether this came before, while it waited for the disk. */
  #wasShown(reading) {
    if (reading.seq !== null) return this.waiting.size > 0 && this.waiting.delete(keyOf(reading));
    if (this.waiting.size < MOST_WAITING) this.waiting.add(keyOf(reading));
    return false;
  }

  #place({ seq, ts }, oldest, thinned) {
    if (seq !== null) {
      if (seq >= oldest && seq <= this.last) return false;
      this.#move(seq, ts, thinned?.from ?? seq);
    }
    this.newest = Math.max(this.newest ?? ts, ts);
    return true;
  }

  /* `from`: what is between it and `seq` was left out since few were asked for. */
  #move(seq, ts, from) {
    if (this.last !== null && from > this.last + 1) {
      this.miss({ from: this.last + 1, to: from - 1, reason: "unexplained" });
    }
    if (this.last === null || seq > this.last) {
      this.last = seq;
      this.#closeBreaks(ts);
    }
    this.first = Math.min(this.first ?? seq, seq);
  }

  /** The names of all metrics. */
  names() {
    return [...this.numbers.keys(), ...this.states.keys()];
  }

  /** Note that `from` to `to` won't come: the series break here, and the position moves on. */
  miss({ from, to, reason }) {
    if (this.last !== null && to <= this.last) return;
    const gap = { from: Math.max(from, (this.last ?? 0) + 1), to, reason, start: this.newest, end: null };
    this.breaks.push(gap);
    this.breaks.splice(0, this.breaks.length - MOST_BREAKS);
    this.last = to;
    this.first ??= to + 1;
    this.#each((series) => series.add([[gap.start, null]]));
  }

  #closeBreaks(ts) {
    for (const gap of this.breaks) gap.end ??= ts;
  }

  /** Put in the readings that a break stands for. */
  fill(gap, readings) {
    this.breaks = this.breaks.filter((other) => other !== gap);
    this.#each((series) => series.join(gap.start));
    this.#chart(readings);
  }

  #each(action) {
    if (this.newest === null) return;
    for (const series of [...this.numbers.values(), ...this.states.values()]) action(series);
  }

  #chart(readings) {
    const columns = new Map();
    for (const { ts, values } of readings) {
      for (const [metric, value] of Object.entries(values)) {
        const series = this.#series(metric, value);
        if (!series) continue;
        if (!columns.has(series)) columns.set(series, []);
        columns.get(series).push([ts, value]);
      }
    }
    for (const [series, points] of columns) series.add(points);
    this.#bound(readings.length);
  }

  #series(metric, value) {
    const kind = typeof value === "number" ? this.numbers : this.states;
    if (!kind.has(metric) && kind.size < MOST_METRICS) kind.set(metric, new Series());
    return kind.get(metric);
  }

  #bound(added) {
    this.total = Math.min(this.total + added, MOST_READINGS);
    const most = Math.min(MOST_READINGS, Math.floor(MOST_POINTS / (this.numbers.size + this.states.size || 1)));
    this.#each((series) => series.trim(most));
  }

  #remember(readings) {
    const kept = new Set(readings.filter(({ seq }) => seq !== null).map(keyOf));
    this.recent = this.recent.filter((reading) => reading.seq !== null || !kept.has(keyOf(reading)));
    const placeOf = ({ seq }) => seq ?? (this.last ?? 0) + 0.5; // behind the last that was kept
    const placed = readings.slice(-RECENT).map((reading) => ({ ...reading, place: placeOf(reading) }));
    this.recent.push(...placed);
    this.recent.sort((one, other) => one.place - other.place);
    this.recent.splice(0, this.recent.length - RECENT);
  }
}

function keyOf({ ts, values }) {
  return JSON.stringify([ts, values]);
}
