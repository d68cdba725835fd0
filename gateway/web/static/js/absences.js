/* When the gateway or the device's source was away: why there are no readings of then. */

import { get } from "./api.js";
import { capital, element } from "./dom.js";
import { clock, day, moment, several } from "./format.js";
import { after } from "./series.js";

const MOST = 1000; // the API's limit: one in 86 s, for the longest range
const LISTED = 12;

const CAUSES = {
  away: ({ source, to }) => `source ${source} ${to === null ? "has been" : "was"} away`,
  clock: () => "the gateway's clock was set ahead",
  restored: () => "what came isn't in the backup that was restored",
  stopped: () => "the gateway was not running",
};
const BRIEF = { away: "source away", clock: "clock set ahead", restored: "not in the backup", stopped: "gateway not running" };

/** `the gateway was not running`: why there is a hole, without its times. */
export const cause = (absence) => (CAUSES[absence.reason] ?? (() => "the gateway was away"))(absence);

/** The same where there is little room. */
export const brief = ({ reason }) => BRIEF[reason] ?? "gateway away";

/** `the gateway was not running, 12:01:05 to 12:11:20`. */
export function words(absence, now, name = cause) {
  const { from, to } = absence;
  if (to === null) return `${name(absence)} since ${moment(from, now)}`;
  const end = day(from) === day(to) ? clock(to) : moment(to, now);
  return `${name(absence)}, ${moment(from, now)} to ${end}`;
}

export class Absences {
  #all = []; // as the gateway sends them, oldest first
  #news = null; // what came while all of them were asked for

  constructor(device) {
    this.device = device;
  }

  clear() {
    this.#all = [];
  }

  /** Ask for all of them; throws an Error in words when that fails. Of several answers that of the last question counts. */
  async load() {
    const news = (this.#news = []);
    try {
      const { absences } = await get(`devices/${encodeURIComponent(this.device)}/absences`, { limit: MOST });
      if (news !== this.#news) return;
      this.#all = absences;
      for (const one of news) this.#put(one);
    } finally {
      if (news === this.#news) this.#news = null;
    }
  }

  /** Take one that began or ended, if it is of the gateway or of `source`; return whether it is. */
  take(news, source) {
    if (news.source !== null && news.source !== source) return false;
    this.#news?.push(news);
    this.#put(news);
    return true;
  }

  #put(news) {
    const isKnown = (known) => known.source === news.source && (known.to === null || known.from === news.from);
    this.#all = [...this.#all.filter((known) => !isKnown(known)), news].slice(-MOST);
  }

  /** Those that meet `start` to `end` (Unix seconds), and those that aren't over; not what a clock set back made negative. */
  within({ start, end }) {
    return this.#all.filter(({ from, to }) => to === null || (from < to && from < end && to > start));
  }
}

/**
 * Where a line must not be drawn on: a map from an index in the ordered `times` to when the absence before that point
 * began; one that isn't over lasts to `end`. What carries a time of its own may lie in an absence, and is joined with what lies there too.
 */
export function splits(times, absences, end) {
  const found = new Map();
  for (const { from, to } of absences) {
    const until = to ?? Math.max(end, from);
    const index = after(times, (from + until) / 2);
    const [before, behind] = [times[index - 1] ?? -Infinity, times[index] ?? Infinity];
    const overlap = Math.min(behind, until) - Math.max(before, from);
    if (overlap <= (until - from) / 2) continue;
    found.set(index, Math.min(found.get(index) ?? Infinity, Math.max(from, before)));
  }
  return found;
}

/**
 * What there is to read, as list items, the newest first: not everybody can point at a chart. `isUnmarked`: a line breaks
 * where nobody was away.
 */
export function list(absences, now, isUnmarked) {
  const items = absences.slice(-LISTED).reverse().map((absence) => item(`${capital(words(absence, now))}.`));
  const more = absences.length - items.length;
  if (more > 0) items.push(element("li", {}, `And ${several(more, "time")} before that.`));
  if (absences.some(isFollowed)) items.push(element("li", {}, LATE));
  if (isUnmarked) items.push(element("li", {}, UNMARKED));
  return items;
}

const LATE = "What senders kept meanwhile came afterwards: it is shown at its arrival, unless it carries a time.";
const UNMARKED = "Where a line breaks and nothing is marked, the device sent no value, or only what was refused (see Rejects).";
const isFollowed = ({ reason, to }) => to !== null && (reason === "stopped" || reason === "away");
const item = (text) => element("li", { className: "absence" }, element("span", { className: "swatch" }), element("span", {}, text));
