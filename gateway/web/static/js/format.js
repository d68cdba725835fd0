/* Numbers, times and names as people read them. */

const LANGUAGE = "en"; // of the page: 1,234.5
const formats = new Map();

function decimals(fewest, most) {
  const key = `${fewest}-${most}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: fewest, maximumFractionDigits: most }));
  }
  return formats.get(key);
}

/** How many decimals are worth showing: about four digits that mean something. */
function mostDecimals(size) {
  if (size >= 1000) return 1;
  if (size >= 100 || size === 0) return 2;
  return size >= 1 ? 3 : 4;
}

/** `12,345`, `230.1`, `21.57`, `0.0123`, `1.20e-7`; at least `fewest` decimals where they mean something. */
export function number(value, fewest = 0) {
  const size = Math.abs(value);
  if (size >= 1e12 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  const most = mostDecimals(size);
  return decimals(Math.min(fewest, most), most).format(value);
}

/** The values of one metric as text: a number keeps the decimals that earlier ones had, so that it doesn't jump. */
export class Figure {
  #decimals = 0;

  text(value) {
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (typeof value !== "number") return String(value);
    const [, fraction = ""] = number(value).split(".");
    if (!fraction.includes("e")) this.#decimals = Math.max(this.#decimals, fraction.length);
    return number(value, this.#decimals);
  }
}

/** A count, grouped: `1,043`. */
export const count = (n) => decimals(0, 0).format(n);

/** `1 reading`, `12 readings`. */
export const several = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

const STEPS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** `12 s`, `3 min`, `2 h`, `5 d`. */
export function duration(seconds) {
  const [size, unit] = STEPS.find(([step]) => seconds >= step) ?? [1, "s"];
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`;
}

/** `now`, `12 s ago`. */
export const ago = (seconds) => (seconds < 1 ? "now" : `${duration(seconds)} ago`);

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `812 B`, `1.4 MiB`. */
export function bytes(size) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, size)) / 10));
  return `${decimals(0, power ? 1 : 0).format(size / 1024 ** power)} ${UNITS[power]}`;
}

const two = (n) => String(n).padStart(2, "0");

/** Local time of day of Unix seconds: `14:03:09`, or `14:03`. */
export function clock(ts, withSeconds = true) {
  const at = new Date(ts * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}${withSeconds ? `:${two(at.getSeconds())}` : ""}`;
}

/** Local date of Unix seconds: `2026-01-31`. */
export function day(ts) {
  const at = new Date(ts * 1000);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The time, with the date where it is not today's. */
export const moment = (ts, now) => (day(ts) === day(now) ? clock(ts) : `${day(ts)} ${clock(ts)}`);

/** A metric's name for people: its label, else `water_level` as `Water level`; anything unusual as it is. */
export function label(name, info) {
  if (info?.label) return info.label;
  if (!/^[a-z][a-z0-9_]*$/.test(name)) return name;
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}
