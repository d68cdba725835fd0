/* The points of one metric: two columns in order of time, with a bound. */

/** Index of the first entry of the ordered `column` that is greater than `limit`. */
export function after(column, limit) {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A value of `null` is a break: what lies around it isn't joined. */
export class Series {
  constructor() {
    this.times = [];
    this.values = [];
  }

  get length() {
    return this.times.length;
  }

  /** Take `[time, value]` points, in any order; points of the same time stay in order of arrival. */
  add(points) {
    const sorted = points.toSorted ? points.toSorted(byTime) : [...points].sort(byTime);
    if (!sorted.length) return;
    const from = after(this.times, sorted[0][0]);
    const times = this.times.splice(from);
    const values = this.values.splice(from);
    this.#merge(times.map((time, index) => [time, values[index]]), sorted);
  }

  #merge(tail, points) {
    let next = 0;
    for (const point of points) {
      while (next < tail.length && tail[next][0] <= point[0]) this.#push(tail[next++]);
      this.#push(point);
    }
    while (next < tail.length) this.#push(tail[next++]);
  }

  #push([time, value]) {
    this.times.push(time);
    this.values.push(value);
  }

  /** Remove the break at `time`. */
  join(time) {
    for (let index = after(this.times, time) - 1; this.times[index] === time; index--) {
      if (this.values[index] === null) this.#remove(index, 1);
    }
  }

  /** Forget the oldest beyond `most`; in slices, because each removal moves all the rest. */
  trim(most) {
    const surplus = this.length - most;
    if (surplus > most / 20) this.#remove(0, surplus);
  }

  #remove(index, amount) {
    this.times.splice(index, amount);
    this.values.splice(index, amount);
  }

  /** The part from `start` on, and the point before it, which its first line comes from. */
  since(start) {
    const from = Math.max(0, after(this.times, start) - 1);
    return { times: this.times.slice(from), values: this.values.slice(from) };
  }
}

const byTime = (one, other) => one[0] - other[0];
