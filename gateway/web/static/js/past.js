/* Loads the history that a time range shows, from now back into the past. */

import { pagesBack } from "./api.js";
import { MOST_READINGS } from "./record.js";

export class Past {
  #reach = Infinity; // Unix seconds from which on everything is here
  #turn = 0;

  constructor(device, record) {
    this.device = device;
    this.record = record;
  }

  /** Forget what was loaded. */
  reset() {
    this.#reach = Infinity;
    this.#turn += 1;
  }

  /**
   * Load what is missing since `from` (Unix seconds); `progress` is called after each page.
   * Returns false if there was more than a page keeps. A later call ends an earlier one.
   */
  async load(from, progress) {
    if (from >= this.#reach) return true;
    const turn = ++this.#turn;
    for await (const readings of pagesBack(this.device, from)) {
      if (turn !== this.#turn) return true;
      this.record.add(readings.filter(({ seq }) => seq < this.record.first)); // the rest comes, or came, live
      progress(this.record.total);
      if (this.record.total >= MOST_READINGS) return false;
    }
    this.#reach = from;
    return true;
  }
}
