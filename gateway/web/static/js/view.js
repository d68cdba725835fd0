/* The device page's elements: tiles, charts, the table of the last readings. */

import { list } from "./absences.js";
import { Chart } from "./charts.js";
import { byId, element } from "./dom.js";
import { showValue } from "./figure.js";
import { Figure, label, moment } from "./format.js";
import { legend, marksOf } from "./marks.js";
import { RECENT } from "./record.js";
import { Timeline } from "./timeline.js";

const MOST_COLUMNS = 8;

export class View {
  #tiles = new Map();
  #charts = new Map();
  #columns = "";
  #listed = "";
  #newest = null; // the reading in the table's first row
  #visible = new Set();
  #watch;
  metrics = {};

  constructor(onVisible) {
    this.#watch = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) this.#visible[isIntersecting ? "add" : "delete"](target);
      onVisible();
    }, { rootMargin: "100px" });
  }

  /** Show everything of `record` in `window`; what is out of sight waits. */
  draw(record, window, now, absences) {
    byId("empty").hidden = record.newest !== null;
    byId("past").hidden = byId("latest").hidden = record.newest === null;
    this.#drawAll(record.numbers, Chart, byId("charts"), window, record.breaks, absences);
    this.#drawAll(record.states, Timeline, byId("strips"), window, record.breaks, absences);
    this.#list(absences, now);
    this.#table(record, now);
  }

  /** Take the descriptions of metrics; what was drawn with others is made anew. */
  learn(described = {}) {
    const metrics = this.#merged(described);
    const drawn = [...this.#tiles.keys()];
    const differs = drawn.some((name) => JSON.stringify(metrics[name]) !== JSON.stringify(this.metrics[name]));
    this.metrics = metrics;
    if (differs) this.clear();
  }

  /* A gateway that has just been started knows no unit before the first reading: what was known stays. */
  #merged(described) {
    const names = Object.keys(described);
    return Object.fromEntries(names.map((name) => [name, { ...this.metrics[name], ...described[name] }]));
  }

  clear() {
    this.#newest = null;
    byId("tiles").replaceChildren();
    byId("charts").replaceChildren();
    byId("strips").replaceChildren();
    this.#watch.disconnect();
    this.#tiles.clear();
    this.#charts.clear();
    this.#visible.clear();
  }

  #list(absences, now) {
    const isUnmarked = [...this.#charts.values()].some((chart) => chart.isUnmarked);
    const key = JSON.stringify([absences, isUnmarked]);
    if (key === this.#listed) return;
    this.#listed = key;
    byId("absences").replaceChildren(...list(absences, now, isUnmarked));
  }

  #drawAll(all, Kind, parent, window, ...marks) {
    for (const [name, series] of all) {
      this.#tile(name, series);
      const chart = this.#chart(name, Kind, parent);
      if (this.#visible.has(chart.root)) chart.draw(series, window, ...marks);
    }
  }

  #chart(name, Kind, parent) {
    const key = `${Kind.name}:${name}`; // a metric can be a number now and a word later
    if (!this.#charts.has(key)) {
      const chart = new Kind(name, this.metrics[name], this.#charts.size);
      this.#charts.set(key, chart);
      parent.append(chart.root);
      this.#watch.observe(chart.root);
    }
    return this.#charts.get(key);
  }

  #tile(name, series) {
    const newest = series.values.findLast((one) => one !== null);
    if (newest === undefined) return;
    if (!this.#tiles.has(name)) this.#tiles.set(name, this.#newTile(name));
    const tile = this.#tiles.get(name);
    showValue(tile, newest);
  }

  #newTile(name) {
    const info = this.metrics[name];
    const shown = element("span");
    const unit = element("span", { className: "unit" }, info?.unit ?? "");
    const box = element("p", { className: "value" }, shown, unit);
    byId("tiles").append(element("li", { className: "tile", title: name, data: { metric: name } },
      element("p", { className: "label" }, label(name, info)), box));
    return { number: shown, unit, value: box, figure: new Figure() };
  }

  #table(record, now) {
    if (record.recent.at(-1) === this.#newest) return;
    this.#newest = record.recent.at(-1);
    const names = record.names().slice(0, MOST_COLUMNS);
    this.#head(names);
    const shown = record.recent.slice(-RECENT).reverse();
    byId("rows").replaceChildren(...shown.map((reading) => this.#row(reading, names, now)));
    byId("legend").replaceChildren(...legend(shown));
  }

  #head(names) {
    const key = JSON.stringify([names, this.metrics]);
    if (key === this.#columns) return;
    this.#columns = key;
    const titles = names.map((name) => label(name, this.metrics[name]));
    const cells = ["Seq", "Time", ...titles].map((title) => element("th", { scope: "col" }, title));
    byId("columns").replaceChildren(element("tr", {}, ...cells));
  }

  #row(reading, names, now) {
    const { seq, ts, values } = reading;
    const given = names.map((name) => element("td", {}, this.#cell(name, values[name])));
    return element("tr", { data: { seq: seq ?? "" } },
      element("td", {}, seq === null ? "not kept" : String(seq)),
      element("td", {}, moment(ts, now), ...marksOf(reading)), ...given);
  }

  #cell(name, given) {
    if (given === undefined) return "";
    return [this.#tiles.get(name).figure.text(given), this.metrics[name]?.unit].filter(Boolean).join(" ");
  }
}
