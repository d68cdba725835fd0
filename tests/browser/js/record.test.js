import assert from "node:assert/strict";
import { test } from "node:test";

import { Record, RECENT } from "../../../gateway/web/static/js/record.js";

const reading = (seq, ts = seq) => ({ seq, ts, values: { t: ts * 10 } });
const readings = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => reading(from + index));
const place = ({ first, last, total, breaks }) => ({ first, last, total, breaks: breaks.length });

test("live readings move the position; what comes twice counts once", () => {
  const record = new Record();
  assert.equal(record.add(readings(5, 8)), 4);
  assert.equal(record.add(readings(7, 9)), 1);
  assert.deepEqual(place(record), { first: 5, last: 9, total: 5, breaks: 0 });
  assert.deepEqual(record.numbers.get("t").times, [5, 6, 7, 8, 9]);
});

test("history goes before what is there", () => {
  const record = new Record();
  record.add(readings(100, 110));
  assert.equal(record.add(readings(50, 105)), 50);
  assert.deepEqual(place(record), { first: 50, last: 110, total: 61, breaks: 0 });
});

test("history that overtakes the backlog changes nothing", () => {
  const record = new Record();
  record.add(readings(1, 20));
  record.add(readings(15, 22));
  assert.deepEqual(place(record), { first: 1, last: 22, total: 22, breaks: 0 });
});

test("a gap breaks the line, moves the position, and ends with the next reading", () => {
  const record = new Record();
  record.add(readings(1, 3));
  record.miss({ from: 4, to: 15, reason: "expired" });
  assert.equal(record.last, 15);
  record.add([reading(16, 20)]);
  assert.deepEqual(record.numbers.get("t").values, [10, 20, 30, null, 200]);
  assert.deepEqual(record.breaks, [{ from: 4, to: 15, reason: "expired", start: 3, end: 20 }]);
});

test("a gap before the first reading is noted too", () => {
  const record = new Record();
  record.miss({ from: 1, to: 7, reason: "expired" });
  record.add([reading(8)]);
  assert.deepEqual(place(record), { first: 8, last: 8, total: 1, breaks: 1 });
});

test("a hole that nobody explained is named", () => {
  const record = new Record();
  record.add(readings(1, 3));
  record.add([reading(6)]);
  assert.deepEqual(record.breaks, [{ from: 4, to: 5, reason: "unexplained", start: 3, end: 6 }]);
});

test("what was left out since few were asked for is no hole, what is missing before it is", () => {
  const record = new Record();
  record.add(readings(1, 3));
  record.add([reading(6), reading(9)], { from: 4, to: 9 });
  assert.deepEqual(place(record), { first: 1, last: 9, total: 5, breaks: 0 });
  record.add([reading(14), reading(19)], { from: 12, to: 19 });
  assert.deepEqual(record.breaks, [{ from: 10, to: 11, reason: "unexplained", start: 9, end: 14 }]);
});

test("a filled gap is gone", () => {
  const record = new Record();
  record.add(readings(1, 3));
  record.miss({ from: 4, to: 5, reason: "slow" });
  record.add([reading(6)]);
  record.fill(record.breaks[0], readings(4, 5));
  assert.deepEqual(record.numbers.get("t").values, [10, 20, 30, 40, 50, 60]);
  assert.deepEqual(record.breaks, []);
});

test("what could not be kept is drawn, and doesn't move the position", () => {
  const record = new Record();
  record.add(readings(1, 3));
  record.add([{ seq: null, ts: 4, values: { t: 40 } }]);
  assert.deepEqual(place(record), { first: 1, last: 3, total: 4, breaks: 0 });
  record.add([reading(4, 5)]);
  assert.deepEqual(record.numbers.get("t").values, [10, 20, 30, 40, 50]);
  assert.deepEqual(record.recent.map(({ seq }) => seq), [1, 2, 3, null, 4]);
});

test("what waited for the disk comes again with its number, and is drawn once", () => {
  const record = new Record();
  record.add(readings(1, 3));
  record.add([{ seq: null, ts: 4, values: { t: 40 } }, { seq: null, ts: 5, values: { t: 50 } }]);
  record.add(readings(4, 6));
  assert.deepEqual(record.numbers.get("t").values, [10, 20, 30, 40, 50, 60]);
  assert.deepEqual(record.recent.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6]);
  record.add([{ seq: 7, ts: 4, values: { t: 40 } }]); // an equal reading, but another one
  assert.deepEqual(record.numbers.get("t").values, [10, 20, 30, 40, 40, 50, 60]);
});

test("numbers, words and booleans have their own series", () => {
  const record = new Record();
  record.add([{ seq: 1, ts: 1, values: { t: 1, open: true, mode: "idle" } }]);
  record.add([{ seq: 2, ts: 2, values: { open: false } }]);
  assert.deepEqual(record.names(), ["t", "open", "mode"]);
  assert.deepEqual(record.states.get("open").values, [true, false]);
});

test("the last readings are kept in order, whenever they come", () => {
  const record = new Record();
  record.add([reading(100)]);
  record.add(readings(1, 99));
  assert.deepEqual(record.recent.map(({ seq }) => seq), readings(101 - RECENT, 100).map(({ seq }) => seq));
});

test("metrics are bounded", () => {
  const record = new Record();
  const many = Array.from({ length: 400 }, (_, index) => [`m${index}`, 1]);
  record.add([{ seq: 1, ts: 1, values: Object.fromEntries(many) }]);
  assert.equal(record.numbers.size, 256);
});
