import assert from "node:assert/strict";
import { test } from "node:test";

import { Absences, brief, cause, splits, words } from "../../../gateway/web/static/js/absences.js";
import { boxes, words as lost } from "../../../gateway/web/static/js/bands.js";
import { breakOff, stretches } from "../../../gateway/web/static/js/timeline.js";

const NOON = new Date(2026, 0, 31, 12).getTime() / 1000; // by local time, as people read it
const stopped = (from, to) => ({ source: null, reason: "stopped", from, to });
const away = (from, to, source = "broker") => ({ source, reason: "away", from, to });

test("an absence is said with its times, and a date where it isn't today's", () => {
  assert.equal(words(stopped(NOON, NOON + 65), NOON + 100), "the gateway was not running, 12:00:00 to 12:01:05");
  assert.equal(words(away(NOON, null), NOON + 100), "source broker has been away since 12:00:00");
  assert.equal(words(away(NOON, null), NOON + 100, brief), "source away since 12:00:00");
  assert.equal(
    words(stopped(NOON - 86400, NOON), NOON + 100), "the gateway was not running, 2026-01-30 12:00:00 to 12:00:00");
  assert.equal(cause({ source: null, reason: "clock" }), "the gateway's clock was set ahead");
  assert.equal(cause({ source: null, reason: "restored" }), "what came isn't in the backup that was restored");
  assert.equal(cause({ source: null, reason: "of a newer gateway" }), "the gateway was away");
  assert.equal(words(stopped(NOON, NOON + 5), NOON, brief), "gateway not running, 12:00:00 to 12:00:05");
});

test("where numbers leap over a restored backup nothing is counted that never was", () => {
  const gap = (from, to) => ({ from, to, reason: "expired" });
  assert.equal(lost(gap(5, 16)), "12 readings not available: expired");
  assert.equal(lost(gap(475, 217543698896874)), "missing: journal restored or damaged");
  assert.equal(lost({ ...gap(5, 16), reason: "slow" }), "12 readings not available: this connection was too slow");
});

test("of what begins and ends only what is the gateway's or the device's own source's is taken", () => {
  const all = new Absences("kitchen");
  const window = { start: 0, end: 1000 };
  assert.equal(all.take(away(10, null, "bench"), "broker"), false);
  assert.equal(all.take(away(100, null), "broker"), true);
  assert.deepEqual(all.within(window), [away(100, null)]);
  all.take(away(100.1, 200), "broker"); // the clock was put right meanwhile
  all.take(stopped(300, 400), "broker");
  all.take(stopped(300, 400), "broker");
  assert.deepEqual(all.within(window), [away(100.1, 200), stopped(300, 400)]);
});

function mockFetch(t) {
  const [answers, asked] = [[], []];
  t.mock.method(globalThis, "fetch", (address) => {
    asked.push(address);
    return new Promise((resolve) => answers.push((absences) => resolve({ ok: true, json: async () => ({ absences }) })));
  });
  return { answers, asked };
}

test("what begins while all are asked for isn't lost", async (t) => {
  const all = new Absences("living room");
  const { answers, asked } = mockFetch(t);
  const loaded = all.load();
  all.take(away(50, null), "broker");
  answers.shift()([stopped(10, 20)]);
  await loaded;
  assert.deepEqual(all.within({ start: 0, end: 100 }), [stopped(10, 20), away(50, null)]);
  const again = all.load();
  answers.shift()([stopped(10, 20), away(50, 60)]);
  await again;
  assert.deepEqual(all.within({ start: 0, end: 100 }), [stopped(10, 20), away(50, 60)]);
  assert.equal(asked.length, 2);
  assert.equal(asked[0], "/api/v1/devices/living%20room/absences?limit=1000");
});

test("an answer that comes after that of a later question doesn't count", async (t) => {
  const all = new Absences("kitchen");
  const { answers } = mockFetch(t);
  const loaded = [all.load(), all.load()];
  const [early, late] = answers;
  late([away(50, 60)]);
  await loaded[1];
  early([away(50, null)]);
  await loaded[0];
  assert.deepEqual(all.within({ start: 0, end: 100 }), [away(50, 60)]);
});

test("a stretch of time has those that meet it, and those that aren't over", () => {
  const all = new Absences("kitchen");
  for (const one of [stopped(10, 20), stopped(30, 40), away(50, null)]) all.take(one, "broker");
  assert.deepEqual(all.within({ start: 20, end: 35 }), [stopped(30, 40), away(50, null)]);
});

test("no line is drawn over an absence", () => {
  const times = [8, 9, 10, 21, 22];
  assert.deepEqual([...splits(times, [stopped(11, 20)])], [[3, 11]]);
  assert.deepEqual([...splits(times, [stopped(9.5, 20)])], [[3, 10]]); // a crash: it began somewhat later
  assert.deepEqual([...splits(times, [stopped(11, 14), away(14, 20)])], [[3, 11]]);
});

test("what carries a time of its own is joined, although nobody was here", () => {
  const times = [8, 9, 10, 11, 12, 13, 14, 15];
  assert.deepEqual([...splits(times, [stopped(9.5, 13.5)])], []);
});

test("an absence before the first point or after the last", () => {
  assert.deepEqual([...splits([8, 9], [stopped(1, 7)])], [[0, 1]]);
  assert.deepEqual([...splits([8, 9], [away(10, null)], 30)], [[2, 10]]);
  assert.deepEqual([...splits([8, 9], [away(10, null)], 9)], []); // the chart ends before it
  assert.deepEqual([...splits([], [stopped(1, 7)])], [[0, 1]]);
});

test("a word doesn't last over an absence", () => {
  const times = [5, 25];
  const values = ["idle", "idle"];
  breakOff(times, values, splits(times, [stopped(10, 20), away(40, null)], 50));
  assert.deepEqual(stretches(times, values, 50), [
    { from: 5, to: 10, value: "idle" },
    { from: 25, to: 40, value: "idle" },
  ]);
});

test("nothing is broken off before the first word", () => {
  const times = [5];
  const values = ["idle"];
  breakOff(times, values, splits(times, [stopped(1, 4)], 50));
  assert.deepEqual(stretches(times, values, 50), [{ from: 5, to: 50, value: "idle" }]);
});

test("one whose end comes before its beginning, by a clock that was set back meanwhile, isn't told", () => {
  const all = new Absences("kitchen");
  all.take(away(100, null), "broker");
  all.take(away(100, 40), "broker");
  assert.deepEqual(all.within({ start: 0, end: 200 }), []);
});

test("an absence takes no more of a chart than the chart has, however long it is", () => {
  const place = { left: 50, top: 8, width: 300, height: 100, end: 300, scale: (ts) => 50 + ts };
  const found = boxes([stopped(-1e7, 20), stopped(30, 30.1), away(250, null), away(400, null)], place);
  assert.deepEqual(found.map(({ left, width }) => [left, width]), [[50, 20], [80, 1], [300, 50]]);
});

test("absences of one cause that all but touch are one band, and of several causes several", () => {
  const place = { left: 0, top: 8, width: 100, height: 100, end: 1000, scale: (ts) => ts / 10 };
  const often = Array.from({ length: 40 }, (_, n) => away(100 + n * 15, 108 + n * 15));
  const found = boxes([...often, stopped(110, 120), stopped(300, 310), away(800, null)], place);
  assert.deepEqual(found.map(({ left, width }) => [left, Math.round(width)]), [[10, 60], [11, 1], [30, 1], [80, 20]]);
  const [open] = boxes([away(700, 780), away(800, null)], place);
  assert.deepEqual([open.left, open.width, open.absence.to], [70, 30, null]);
});
