/* Drawing what is missing, who was away, and the expected bounds, onto a chart's canvas. */

import { brief, cause } from "./absences.js";
import { token } from "./dom.js";
import { several } from "./format.js";

const LEAST_WIDTH = 6;
const LINES = 4; // of labels below one another
const LINE_HEIGHT = 16;
const HATCH = 7; // between two lines
const APART = 3; // pixels of the canvas; bands that are nearer look like one
const NAMED = 60; // no name fits into less
const LEAP = 1e9; // numbers go on by that much later, or more, where a backup was restored or a damaged journal goes on

const REASONS = {
  expired: "expired",
  slow: "this connection was too slow",
  unexplained: "not received",
  unreadable: "the gateway couldn't read them",
};

/** `12 readings not available: expired`. */
export function words({ from, to, reason }) {
  const missing = to - from + 1;
  if (reason === "expired" && missing >= LEAP) return "missing: journal restored or damaged";
  return `${several(missing, "reading")} not available: ${REASONS[reason] ?? reason}`;
}

/** Shade and name each break, from the reading before it to the one after it. */
export function drawBreaks(plot, breaks) {
  const { ctx, bbox } = plot;
  let line = 0;
  for (const gap of breaks) {
    const left = gap.start === null ? bbox.left : plot.valToPos(gap.start, "x", true);
    const right = gap.end === null ? bbox.left + bbox.width : plot.valToPos(gap.end, "x", true);
    const width = Math.max(right - left, LEAST_WIDTH * devicePixelRatio);
    if (left + width < bbox.left || left > bbox.left + bbox.width) continue;
    const place = { left, width, line: line++ % LINES };
    inside(plot, () => shade(ctx, bbox, place, words(gap)));
  }
}

/** Hatch the times of `absences`, up to `end` where they aren't over, and say why where there is room. */
export function drawAbsences(plot, absences, end) {
  const { ctx, bbox } = plot;
  const scale = (ts) => plot.valToPos(ts, "x", true);
  hatch(ctx, boxes(absences, { ...bbox, end, scale }), devicePixelRatio);
}

/**
 * The boxes of `absences` within one of `left` to `width`, whose right end is `end`; `scale`: from Unix seconds. Those
 * of one cause that all but touch are one: the outlines of hundreds beside one another would add up to black.
 */
export function boxes(absences, place) {
  const found = [];
  const newest = new Map(); // by cause
  for (const absence of absences.filter(({ from }) => from < place.end)) {
    const key = JSON.stringify([absence.source, absence.reason]);
    const [box, before] = [boxOf(absence, place), newest.get(key)];
    if (before && join(before, box)) continue;
    newest.set(key, box);
    found.push(box);
  }
  return found;
}

function boxOf(absence, { left, top, width, height, end, scale }) {
  const start = Math.max(left, scale(absence.from)); // it may have begun weeks ago
  const stop = Math.min(left + width, scale(absence.to ?? end));
  return { absence, left: start, top, width: Math.max(stop - start, 1), height };
}

/* Let the earlier box take in the later one if that all but touches it; return whether it does. */
function join(box, later) {
  const right = box.left + box.width;
  if (later.left < box.left || later.left > right + APART) return false;
  box.absence = later.absence; // whose words tell whether it is over
  box.width = Math.max(right, later.left + later.width) - box.left;
  return true;
}

/** Hatch boxes, and say why where that fits. `unit`: of this context, in pixels of the page. */
export function hatch(ctx, all, unit) {
  if (!all.length) return;
  ctx.save();
  ctx.beginPath();
  for (const { left, top, width, height } of all) ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = token("--away");
  ctx.fill();
  ctx.strokeStyle = token("--away-line");
  ctx.lineWidth = unit;
  ctx.stroke();
  slant(ctx, all, HATCH * unit);
  for (const box of all) name(ctx, box, unit);
  ctx.restore();
}

function slant(ctx, all, step) {
  const [{ top, height }] = all;
  const right = Math.max(...all.map(({ left, width }) => left + width));
  ctx.beginPath();
  for (let x = Math.min(...all.map(({ left }) => left)) - height; x < right; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
}

function name(ctx, { absence, left, top, width, height }, unit) {
  if (width < NAMED * unit) return;
  ctx.font = `600 ${12 * unit}px ${token("--sans")}`;
  const text = [cause(absence), brief(absence)].find((one) => ctx.measureText(one).width < width - 12 * unit);
  if (!text) return;
  const room = ctx.measureText(text).width;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const middle = [left + width / 2, top + height - 17 * unit];
  ctx.fillStyle = token("--surface");
  ctx.fillRect(middle[0] - room / 2 - 4 * unit, middle[1] - 9 * unit, room + 8 * unit, 18 * unit);
  ctx.fillStyle = token("--muted");
  ctx.fillText(text, ...middle);
}

function inside({ ctx, bbox }, paint) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint();
  ctx.restore();
}

function shade(ctx, bbox, { left, width, line }, text) {
  ctx.fillStyle = token("--gap");
  ctx.fillRect(left, bbox.top, width, bbox.height);
  ctx.fillStyle = token("--warn");
  ctx.font = `600 ${12 * devicePixelRatio}px ${token("--sans")}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  const room = ctx.measureText(text).width;
  const middle = left + (width - room) / 2;
  const x = Math.max(bbox.left + 4, Math.min(middle, bbox.left + bbox.width - room - 4));
  ctx.fillText(text, x, bbox.top + (4 + line * LINE_HEIGHT) * devicePixelRatio);
}

/** A dashed line at each bound that the profile gives and the scale shows. */
export function drawBounds(plot, { min, max }) {
  const { ctx, bbox, scales } = plot;
  for (const bound of [min, max]) {
    if (bound === undefined || bound < scales.y.min || bound > scales.y.max) continue;
    const y = plot.valToPos(bound, "y", true);
    inside(plot, () => {
      ctx.strokeStyle = token("--bad");
      ctx.globalAlpha = 0.6;
      ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    });
  }
}
