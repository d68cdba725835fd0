/* One device on the overview. */

import { hasAddress } from "./api.js";
import { showState } from "./connection.js";
import { element, say } from "./dom.js";
import { showValue } from "./figure.js";
import { ago, Figure, label, several } from "./format.js";
import { Spark } from "./spark.js";

const MOST_METRICS = 4;

export class Card {
  #metrics = new Map(); // name -> {value, unit, spark}
  #seen = null; // the reading that is shown
  #first = null; // sequence number of the first reading that came live

  constructor(device) {
    this.state = element("p", { className: "badge" });
    this.source = element("span");
    this.age = element("span", { className: "age" });
    this.list = element("div", { className: "card-metrics" });
    this.more = element("p", { className: "muted", hidden: true });
    this.root = element("li", { className: "card", data: { id: device.id } },
      element("div", { className: "card-head" }, element("h2", {}, title(device.id)), this.state),
      this.list, this.more,
      element("div", { className: "card-foot" }, this.source, this.age));
  }

  /** Take a DEVICE as the gateway sends it. */
  update(device) {
    this.device = device;
    this.root.dataset.state = device.state;
    say(this.source, device.source ?? "");
    if (device.last && this.#isNew(device.last)) this.#show(device);
    this.#seen = device.last;
  }

  #isNew(reading) {
    return !this.#seen || reading.seq !== this.#seen.seq || reading.ts !== this.#seen.ts;
  }

  /** Put `readings`, oldest first, before what is shown already. */
  addPast(readings) {
    const past = readings.filter(({ seq }) => seq < (this.#first ?? Infinity));
    for (const name of this.#names()) {
      const values = past.filter(({ values }) => name in values).map(({ values }) => values[name]);
      if (values.length && !this.#metrics.has(name)) this.#showMetric(name, values.pop());
      this.#metrics.get(name)?.spark.prepend(values.filter((one) => typeof one === "number"));
    }
    this.draw();
  }

  #names(values = {}) {
    return Object.keys({ ...this.device.metrics, ...values }).slice(0, MOST_METRICS);
  }

  /* Not every reading has every metric: `latest` has the newest value of each. */
  #show({ last, latest }) {
    this.#first ??= last.seq;
    const values = { ...latest, ...last.values };
    for (const name of this.#names(values)) {
      const isNew = name in last.values || values[name] !== this.#metrics.get(name)?.given;
      if (name in values && isNew) this.#showMetric(name, values[name]);
    }
    const others = Object.keys({ ...this.device.metrics, ...values }).length - MOST_METRICS;
    this.more.hidden = others <= 0;
    say(this.more, `and ${several(others, "more value")}`);
  }

  #showMetric(name, given) {
    const info = this.device.metrics?.[name];
    if (!this.#metrics.has(name)) this.#metrics.set(name, this.#row(name));
    const row = this.#metrics.get(name);
    say(row.label, label(name, info)); // just after a start the gateway may not know them yet
    say(row.unit, info?.unit ?? "");
    row.spark.canvas.hidden = typeof given !== "number";
    row.given = given;
    showValue(row, given);
    if (typeof given === "number") row.spark.push(given);
  }

  #row(name) {
    const called = element("div", { className: "label" });
    const number = element("span");
    const unit = element("span", { className: "unit" });
    const shown = element("div", { className: "value" }, number, unit);
    const spark = new Spark(element("canvas"));
    this.list.append(element("div", { className: "metric", title: name, data: { metric: name } },
      called, shown, spark.canvas));
    return { label: called, value: shown, number, unit, spark, figure: new Figure() };
  }

  /** Say how the device is, or how it was while the gateway is away, and how old its last reading is. */
  tick(now, isAway) {
    showState(this.state, this.device.state, isAway);
    say(this.age, this.device.last_seen ? ago(now - this.device.last_seen) : "never seen");
  }

  draw() {
    for (const { spark } of this.#metrics.values()) spark.draw();
  }
}

function title(id) {
  if (!hasAddress(id)) return element("span", { title: "This name can't be in an address: see gatewayctl tail" }, id);
  return element("a", { href: `/devices/${encodeURIComponent(id)}` }, id);
}
