/* Words and booleans over time: a strip of coloured stretches. */

import { splits } from "./absences.js";
import { boxes, hatch } from "./bands.js";
import { element, say, token } from "./dom.js";
import { clock, Figure, label, moment } from "./format.js";

const COLOURS = 6;
const STRIP = 34;

export class Timeline {
  #figure = new Figure();
  #colours = new Map(); // value -> custom property, in order of appearance

  constructor(name, info) {
    this.name = name;
    this.readout = element("strong");
    this.canvas = element("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.root = element("section", { className: "chart", data: { metric: name } },
      element("div", { className: "chart-head" },
        element("h3", { title: name }, label(name, info)),
        element("p", { className: "readout" }, this.readout)),
      element("div", { className: "plot strip" }, this.canvas));
  }

  draw(series, window, _, absences) {
    const { times, values } = series.since(window.start);
    const newest = values.findLast((one) => one !== null);
    if (newest !== undefined) say(this.readout, this.#figure.text(newest));
    if (!this.canvas.clientWidth) return;
    const pen = this.#pen();
    breakOff(times, values, splits(times, absences, window.end));
    for (const stretch of stretches(times, values, window.end)) this.#paint(pen, stretch, window);
    this.#hatch(pen, absences, window);
    this.#axis(pen, window);
  }

  #pen() {
    const { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(clientHeight * devicePixelRatio);
    const pen = this.canvas.getContext("2d");
    pen.scale(devicePixelRatio, devicePixelRatio);
    pen.font = `12px ${token("--sans")}`;
    pen.textBaseline = "middle";
    return pen;
  }

  #paint(pen, { from, to, value: given }, { start, end }) {
    const wide = this.canvas.clientWidth / (end - start);
    const left = Math.max(0, (from - start) * wide);
    const width = Math.max(1, (to - start) * wide - left);
    pen.fillStyle = token(this.#colourOf(given));
    pen.globalAlpha = 0.22;
    pen.fillRect(left, 4, width, STRIP);
    pen.globalAlpha = 1;
    pen.fillRect(left, 4, Math.min(2, width), STRIP);
    const text = this.#figure.text(given);
    if (pen.measureText(text).width > width - 14) return;
    pen.fillStyle = token("--text");
    pen.fillText(text, left + 8, 4 + STRIP / 2);
  }

  #hatch(pen, absences, { start, end }) {
    const width = this.canvas.clientWidth;
    const scale = (ts) => ((ts - start) / (end - start)) * width;
    hatch(pen, boxes(absences, { left: 0, top: 4, width, height: STRIP, end, scale }), 1);
  }

  #colourOf(given) {
    if (typeof given === "boolean") return given ? "--line-4" : "--muted";
    if (!this.#colours.has(given)) this.#colours.set(given, `--line-${(this.#colours.size % COLOURS) + 1}`);
    if (this.#colours.size > 256) this.#colours.clear();
    return this.#colours.get(given) ?? "--line-1";
  }

  #axis(pen, { start, end }) {
    pen.fillStyle = token("--muted");
    pen.fillText(moment(start, end), 0, STRIP + 20);
    pen.textAlign = "right";
    pen.fillText(clock(end), this.canvas.clientWidth, STRIP + 20);
  }
}

/** Put a break into the points wherever `apart`, a map from index to time, says. */
export function breakOff(times, values, apart) {
  for (const [index, ts] of [...apart].sort(([one], [other]) => other - one)) {
    if (index === 0) continue;
    times.splice(index, 0, ts);
    values.splice(index, 0, null);
  }
}

/** Points as stretches of one value each; `null` ends a stretch, the last goes on to `end`. */
export function stretches(times, values, end) {
  const found = [];
  for (const [index, given] of values.entries()) {
    const open = found.at(-1);
    if (open && open.to === null) open.to = given === open.value ? null : times[index];
    if (given !== null && (!open || open.to !== null)) found.push({ from: times[index], to: null, value: given });
  }
  if (found.length) found.at(-1).to ??= end;
  return found;
}
