/* Sending refused messages through the gateway's door again, and saying what became of them. */

import { post } from "./api.js";
import { count } from "./format.js";
import { visible } from "./payload.js";

const LONGEST_MS = 300_000;

const OTHER = {
  duplicate: "Not stored: it is a duplicate of a message that is stored already.",
  ignored: "Not stored: no route wants it.",
  dropped: "Could not be kept: see Status.",
  in_flight: "On its way: the journal has not answered yet.",
};

/** Replay one; returns {state, text}, never throws. */
async function replay({ id, reason }) {
  try {
    return wordsFor(await post(`rejects/${id}/replay`), reason);
  } catch (error) {
    return { state: "failed", text: `Not replayed: ${visible(error.message)}` };
  }
}

function wordsFor({ outcome, reason }, before) {
  if (outcome === "stored") return { state: outcome, text: "Stored." };
  if (outcome === "rejected") {
    const why = reason === before || !reason ? ", for the same reason." : `: ${visible(reason)}`;
    return { state: outcome, text: `Still rejected${why}` };
  }
  return { state: outcome, text: OTHER[outcome] ?? `Not stored: ${outcome}` };
}

/** Replay one row, and show it there. Returns the state that it ended in. */
export async function replayRow(row) {
  row.begin();
  const done = await replay(row.reject);
  row.end(done);
  return done.state;
}

/** Replay rows one after another, in the order in which they came, until `stopped` says so; returns the sums by state. */
export async function replayRows(rows, progress, stopped) {
  const sums = new Map();
  for (const [index, row] of rows.entries()) {
    if (stopped()) break;
    progress(index + 1, rows.length);
    const state = await replayRow(row);
    sums.set(state, (sums.get(state) ?? 0) + 1);
  }
  return sums;
}

/** Replay all that the gateway has, also what isn't shown; returns the sums by state. */
export async function replayEverything() {
  const { replayed, ...sums } = await post("rejects/replay", LONGEST_MS);
  return new Map(Object.entries(sums).filter(([, amount]) => amount > 0));
}

const STATES = {
  rejected: "still rejected",
  failed: "not replayed",
  skipped: "not kept whole, or of a source that is gone",
  in_flight: "on the way",
};

/** `8 stored, 3 still rejected`. */
export const inWords = (sums) =>
  [...sums].map(([state, amount]) => `${count(amount)} ${STATES[state] ?? state}`).join(", ") || "nothing was replayed";
