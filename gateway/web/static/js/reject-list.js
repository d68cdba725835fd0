/* The rejects that are shown: the newest first, each once, a bounded number. */

import { RejectRow } from "./reject.js";

export class RejectList {
  #rows = new Map(); // id -> RejectRow
  #wanted = { source: "", text: "" };

  constructor(root, most, onReplay) {
    this.root = root;
    this.most = most;
    this.onReplay = onReplay;
  }

  get size() {
    return this.#rows.size;
  }

  /** Take rejects that are new, or came again; returns how many were new. */
  take(rejects) {
    const known = this.size;
    for (const reject of rejects) this.#rowOf(reject).update(reject);
    const fresh = this.size - known;
    this.#arrange();
    return fresh;
  }

  /** Take all that the gateway had at `asked` (performance.now()): what isn't among them goes. */
  replace(rejects, asked) {
    const ids = new Set(rejects.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (!ids.has(id) && !row.lingers && row.heard < asked) this.#drop(row);
    }
    this.take(rejects);
  }

  #rowOf(reject) {
    if (!this.#rows.has(reject.id)) this.#rows.set(reject.id, new RejectRow(reject, this.onReplay));
    return this.#rows.get(reject.id);
  }

  #arrange() {
    const sorted = [...this.#rows.values()].sort(byAge);
    for (const row of sorted.splice(this.most)) this.#drop(row);
    sorted.forEach(({ root }, index) => {
      if (this.root.children[index] !== root) this.root.insertBefore(root, this.root.children[index] ?? null);
    });
    this.#sift();
  }

  #drop(row) {
    row.root.remove();
    this.#rows.delete(row.reject.id);
  }

  /** Show only what is from `source` (if any) and has `text` (lower case) in it. */
  sift(source, text) {
    this.#wanted = { source, text };
    this.#sift();
  }

  #sift() {
    const { source, text } = this.#wanted;
    for (const row of this.#rows.values()) row.root.hidden = !row.matches(source, text);
  }

  /** What the filter lets through, in the order in which it came. */
  shown() {
    return [...this.#rows.values()].filter(({ root }) => !root.hidden).sort(byAge).reverse();
  }

  /** Those of them that can be replayed. */
  replayable() {
    return this.shown().filter(({ button }) => !button.hidden);
  }

  /** The names of all sources. */
  sources() {
    return [...new Set([...this.#rows.values()].map(({ reject }) => reject.source))].sort();
  }

  tick(now) {
    for (const row of this.#rows.values()) row.tick(now);
  }
}

const byAge = ({ reject: one }, { reject: other }) => other.last - one.last || other.id - one.id;
