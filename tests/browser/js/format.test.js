import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, bytes, duration, Figure, label, number, several } from "../../../gateway/web/static/js/format.js";

test("numbers keep about four digits that mean something", () => {
  const shown = [21.5, 21, 0, -3.14159, 230.456, 1014.789, 1234567, 0.01234, 0.30000000000000004, 1.2e-7, 3e15];
  assert.deepEqual(shown.map((one) => number(one)), [
    "21.5", "21", "0", "-3.142", "230.46", "1,014.8", "1,234,567", "0.0123", "0.3", "1.20e-7", "3.00e+15",
  ]);
});

test("a figure keeps the decimals that it had", () => {
  const figure = new Figure();
  assert.deepEqual([21, 21.57, 21.5, 22, true, "idle"].map((one) => figure.text(one)), [
    "21", "21.57", "21.50", "22.00", "yes", "idle",
  ]);
});

test("times and sizes are short", () => {
  assert.deepEqual([0, 1, 59.9, 60, 7200, 90000].map(duration), ["0 s", "1 s", "59 s", "1 min", "2 h", "1 d"]);
  assert.deepEqual([-2, 0.4, 12.7].map(ago), ["now", "now", "12 s ago"]);
  assert.deepEqual([0, 812, 1024, 1500000].map(bytes), ["0 B", "812 B", "1 KiB", "1.4 MiB"]);
  assert.deepEqual([1, 1200].map((n) => several(n, "reading")), ["1 reading", "1,200 readings"]);
});

test("a metric is called by its label, else by its name in words", () => {
  assert.equal(label("t1", { label: "Air" }), "Air");
  assert.equal(label("water_level"), "Water level");
  assert.equal(label("AM2301.Temperature", {}), "AM2301.Temperature");
  assert.equal(label("<b>"), "<b>");
});
