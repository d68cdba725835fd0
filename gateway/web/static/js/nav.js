/* How many rejects there are, and how many problems, beside their pages' names, on every page. */

import { get } from "./api.js";
import { byId, say } from "./dom.js";
import { count, several } from "./format.js";

const EVERY_MS = 20_000;
const MOST = 999;
const handlers = [];
let known = null;

/** Show how many rejects are kept. */
export function showRejects(total) {
  showCount("reject-count", total, `${several(total, "reject")} kept`);
}

/** Show how many problems status names: who looks at devices only is to know that a source is gone. */
export function showProblems(problems) {
  showCount("problem-count", problems.length, problems.join("\n"));
}

function showCount(id, total, title) {
  const mark = byId(id);
  mark.hidden = total === 0;
  mark.title = title;
  say(mark, total > MOST ? `${MOST}+` : count(total));
}

/** Call `handle` with STATUS each time that it was looked at, and now if it was already. */
export function onStatus(handle) {
  handlers.push(handle);
  if (known) handle(known);
}

function learn(status) {
  known = status;
  showProblems(status.problems);
  for (const handle of handlers) handle(status);
}

/** Look now, and not only when it is time. */
export async function look() {
  if (document.hidden) return;
  const looks = [
    get("rejects", { limit: 1 }).then(({ total }) => showRejects(total)),
    get("status").then(learn),
  ];
  await Promise.allSettled(looks); // where one fails, the connection's badge says what is wrong
}

look();
setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
