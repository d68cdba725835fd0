import assert from "node:assert/strict";
import { test } from "node:test";

import { after, Series } from "../../../gateway/web/static/js/series.js";
import { breaksUnmarked, usual } from "../../../gateway/web/static/js/silence.js";
import { windowOf } from "../../../gateway/web/static/js/span.js";
import { stretches } from "../../../gateway/web/static/js/timeline.js";

const filled = (...points) => {
  const series = new Series();
  series.add(points);
  return series;
};

test("points are kept in order of time, whenever they come", () => {
  const series = filled([3, "c"], [5, "e"]);
  series.add([[1, "a"], [4, "d"], [2, "b"]]);
  series.add([[6, "f"]]);
  assert.deepEqual(series.times, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(series.values, ["a", "b", "c", "d", "e", "f"]);
});

test("points of the same time stay in order of arrival", () => {
  const series = filled([1, "first"]);
  series.add([[1, "second"]]);
  series.add([[0, "zero"], [1, "third"]]);
  assert.deepEqual(series.values, ["zero", "first", "second", "third"]);
});

test("a break can be joined again, and only the break", () => {
  const series = filled([1, 10], [1, null], [2, 20]);
  series.join(1);
  assert.deepEqual(series.values, [10, 20]);
});

test("the oldest points go", () => {
  const series = filled(...Array.from({ length: 300 }, (_, index) => [index, index]));
  series.trim(100);
  assert.deepEqual([series.length, series.times[0]], [100, 200]);
});

test("a window begins with the point before it", () => {
  const series = filled([1, 1], [2, 2], [3, 3], [4, 4]);
  assert.deepEqual(series.since(2.5).times, [2, 3, 4]);
  assert.deepEqual(series.since(0).times, [1, 2, 3, 4]);
  assert.deepEqual(new Series().since(0).times, []);
});

test("searching finds the first greater entry", () => {
  assert.deepEqual([0, 1, 2, 3].map((limit) => after([1, 1, 3], limit)), [0, 2, 2, 3]);
});

test("a silence is several times what is usual", () => {
  const everyMinute = Array.from({ length: 20 }, (_, index) => index * 60);
  assert.equal(usual(everyMinute, 0, 19), 480);
  assert.equal(usual([0, 0.1, 0.2], 0, 2), 10);
  assert.equal(usual([5], 0, 0), 10);
});

test("a line that breaks where nobody was away, and nothing is named, is noticed", () => {
  const line = (...points) => ({ times: points.map(([ts]) => ts), values: points.map(([, value]) => value) });
  const steady = [[0, 1], [1, 1], [2, 1], [3, 1]];
  const away = (from, to) => ({ source: "broker", reason: "away", from, to });
  assert.equal(breaksUnmarked(line(), [], 99), false);
  assert.equal(breaksUnmarked(line(...steady), [], 99), false); // what comes after the last isn't known yet
  assert.equal(breaksUnmarked(line(...steady, [14, 1]), [], 99), true);
  assert.equal(breaksUnmarked(line(...steady, [13, 1]), [], 99), false);
  assert.equal(breaksUnmarked(line(...steady, [3, null], [50, 1]), [], 99), false);
  assert.equal(breaksUnmarked(line(...steady, [50, 1]), [away(3, 45)], 99), false);
  assert.equal(breaksUnmarked(line(...steady, [50, 1]), [away(3, 20), away(20, 49)], 99), false);
  assert.equal(breaksUnmarked(line(...steady, [50, 1]), [away(3, 35)], 99), true);
  assert.equal(breaksUnmarked(line(...steady, [50, 1]), [away(10, 30), away(3, 30)], 99), true); // both explain the same
  assert.equal(breaksUnmarked(line(...steady, [50, 1]), [away(-50, -9), away(60, null)], 99), true);
  assert.equal(breaksUnmarked(line(...steady, [50, 1]), [away(4, null)], 60), false);
});

test("the window ends now, or with the newest reading where that is elsewhere", () => {
  assert.deepEqual(windowOf(300, 1000, 999), { start: 700, end: 1000, held: false });
  assert.deepEqual(windowOf(300, 1000, 1001), { start: 701, end: 1001, held: false });
  assert.deepEqual(windowOf(300, 1000, 100), { start: -200, end: 100, held: true });
  assert.deepEqual(windowOf(300, 1000, 9000), { start: 8700, end: 9000, held: true });
  assert.deepEqual(windowOf(300, 1000, null), { start: 700, end: 1000, held: false });
});

test("equal states are one stretch, and a break ends it", () => {
  assert.deepEqual(stretches([1, 2, 3, 4, 5], ["a", "a", "b", null, "b"], 9), [
    { from: 1, to: 3, value: "a" },
    { from: 3, to: 4, value: "b" },
    { from: 5, to: 9, value: "b" },
  ]);
});
