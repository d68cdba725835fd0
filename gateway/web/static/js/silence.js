/* A line over a silence would say that something was measured there. */

const FEW = 50;
const FACTOR = 8;
const LEAST_S = 10;

/** How long between two points is a silence: several times what is usual here. */
export function usual(times, from, to) {
  const steps = [];
  for (let index = Math.max(from + 1, to - FEW); index <= to; index++) steps.push(times[index] - times[index - 1]);
  steps.sort((one, other) => one - other);
  return Math.max(LEAST_S, FACTOR * (steps[steps.length >> 1] ?? 0));
}

/**
 * uPlot's form of the parts, in canvas pixels, where no line is drawn; nor before the points in `apart`, whose
 * keys are indices.
 */
export function quietParts(plot, from, to, apart) {
  const times = plot.data[0];
  const limit = usual(times, from, to);
  const parts = [];
  for (let index = from + 1; index <= to; index++) {
    if (times[index] - times[index - 1] <= limit && !apart.has(index)) continue;
    parts.push([plot.valToPos(times[index - 1], "x", true), plot.valToPos(times[index], "x", true)]);
  }
  return parts;
}
