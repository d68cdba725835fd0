/* One metric's chart over time. */

import uPlot from "../vendor/uPlot.esm.js";
import { brief, splits, words } from "./absences.js";
import { drawAbsences, drawBounds, drawBreaks } from "./bands.js";
import { capital, element, token } from "./dom.js";
import { clock, day, Figure, label, moment } from "./format.js";
import { breaksUnmarked, quietParts } from "./silence.js";

const HEIGHT = 224; // as .plot in parts.css
const COLOURS = 6;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

export class Chart {
  #breaks = [];
  #absences = [];
  #end = 0;
  #plot = null;
  #width = 0;
  #figure = new Figure();
  isUnmarked = false; // the line breaks, as it was drawn last, and nothing in the chart says why

  constructor(name, info, index) {
    this.name = name;
    this.info = info ?? {};
    this.colour = `--line-${(index % COLOURS) + 1}`;
    this.readout = element("p", { className: "readout" });
    this.box = element("div", { className: "plot" });
    this.root = element("section", { className: "chart", data: { metric: name } },
      element("div", { className: "chart-head" },
        element("h3", { title: name }, label(name, info), this.info.unit ? ` (${this.info.unit})` : ""),
        this.readout),
      this.box);
    new ResizeObserver(() => this.#fit()).observe(this.box);
  }

  /** Show `series` from `start` to `end` (Unix seconds), with its breaks and who was away. */
  draw(series, { start, end }, breaks, absences) {
    if (!this.box.clientWidth) return;
    this.#plot ??= this.#make();
    this.#breaks = breaks;
    this.#absences = absences;
    this.#end = end;
    const { times, values } = series.since(start);
    this.isUnmarked = breaksUnmarked({ times, values }, absences, end);
    this.#plot.batch(() => {
      this.#plot.setData([times, values], false);
      this.#plot.setScale("x", { min: start, max: end });
    });
    this.#read();
  }

  #make() {
    this.#width = this.box.clientWidth;
    return new uPlot(this.#options(), [[], []], this.box);
  }

  #fit() {
    const width = this.box.clientWidth;
    if (!this.#plot || !width || width === this.#width) return;
    this.#width = width;
    this.#plot.setSize({ width, height: HEIGHT });
  }

  #options() {
    return {
      width: this.#width,
      height: HEIGHT,
      padding: [8, 28, 0, 0], // on the right half of the last time fits
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "device" } },
      scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => roomy(low, high) } },
      axes: [this.#axis({ values: timeTicks, incrs: STEPS_S, space: 70, size: 28 }), this.#axis({ values: plainTicks, size: widest })],
      series: [{}, this.#line()],
      hooks: {
        drawAxes: [(plot) => this.#drawBehind(plot)],
        setCursor: [() => this.#read()],
      },
    };
  }

  #axis(others) {
    return {
      stroke: () => token("--muted"),
      font: `12px ${token("--sans")}`,
      grid: { stroke: () => token("--line"), width: 1 },
      ticks: { show: false },
      ...others,
    };
  }

  #line() {
    return {
      stroke: () => token(this.colour),
      width: 1.75,
      points: { size: 5, fill: () => token(this.colour) },
      gaps: (plot, _, from, to, breaks) => [...breaks, ...quietParts(plot, from, to, this.#apart(plot))].sort(byLeft),
    };
  }

  #apart(plot) {
    return splits(plot.data[0], this.#absences, this.#end);
  }

  #drawBehind(plot) {
    drawAbsences(plot, this.#absences, this.#end);
    drawBounds(plot, this.info);
    drawBreaks(plot, this.#breaks);
  }

  /** Say the value under the cursor, or who was away then; else the newest. */
  #read() {
    if (!this.#plot) return;
    const [times, values] = this.#plot.data;
    const at = this.#plot.cursor.idx ?? values.length - 1;
    const absence = this.#pointedAt(times[at]);
    this.readout.classList.toggle("words", Boolean(absence));
    if (absence) return this.readout.replaceChildren(capital(words(absence, this.#end, brief)));
    const given = values[at];
    if (typeof given !== "number") return;
    const shown = element("strong", {}, [this.#figure.text(given), this.info.unit].filter(Boolean).join(" "));
    this.readout.replaceChildren(shown, ` at ${moment(times[at], Date.now() / 1000)}`);
  }

  /* The absence under the cursor; where a reading lies in it, that is what is pointed at. */
  #pointedAt(nearest) {
    const { left } = this.#plot.cursor;
    if (!(left >= 0)) return undefined;
    const ts = this.#plot.posToVal(left, "x");
    const isIn = ({ from, to }, moment) => moment > from && moment < (to ?? this.#end);
    return this.#absences.find((one) => isIn(one, ts) && !isIn(one, nearest));
  }
}

const byLeft = ([one], [other]) => one - other;

/** A little air above and below; a flat line runs in the middle. */
function roomy(low, high) {
  if (low === null) return [0, 1];
  const air = (high - low) * 0.08 || Math.abs(high) * 0.02 || 1;
  return [low - air, high + air];
}

function timeTicks(_, splits, __, ___, step) {
  if (step >= 86400) return splits.map(day);
  return splits.map((ts) => clock(ts, step < 60));
}

const plainTicks = (_, splits, __, ___, step) => {
  const places = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return splits.map((one) => (Math.abs(one) >= 1e6 ? one.toExponential(1) : one.toFixed(places)));
};

const widest = (_, texts) => 18 + 7 * Math.max(2, ...(texts ?? []).map((text) => text.length));
