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

/**
 * Whether a line breaks and nothing shown says why: longer than usual no value came, less what `absences` account for
 * (one that isn't over lasts to `end`). Beside a value of `null` the break is named already.
 */
export function breaksUnmarked({ times, values }, absences, end) {
  const limit = usual(times, 0, times.length - 1);
  const inOrder = [...absences].sort((one, other) => one.from - other.from);
  return times.some((ts, index) => {
    const before = times[index - 1] ?? ts;
    if (ts - before <= limit || values[index] === null || values[index - 1] === null) return false;
    return ts - before - shared(before, ts, inOrder, end) > limit;
  });
}

/* For how many seconds of `start` to `stop` there are absences, which may overlap. */
function shared(start, stop, absences, end) {
  let [sum, reached] = [0, start];
  for (const { from, to } of absences) {
    const [begin, until] = [Math.max(reached, from), Math.min(stop, to ?? end)];
    if (until <= begin) continue;
    sum += until - begin;
    reached = until;
  }
  return sum;
}
