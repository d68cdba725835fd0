/* The number of rejects beside their page's name, on every page. */

import { get } from "./api.js";
import { byId, say } from "./dom.js";
import { count, several } from "./format.js";

const EVERY_MS = 15_000;
const MOST = 999;

/** Show how many rejects are kept. */
export function showRejects(total) {
  const mark = byId("reject-count");
  mark.hidden = total === 0;
  mark.title = `${several(total, "reject")} kept`;
  say(mark, total > MOST ? `${MOST}+` : count(total));
}

async function look() {
  if (document.hidden) return;
  try {
    showRejects((await get("rejects", { limit: 1 })).total);
  } catch {
    // the connection's badge says what is wrong
  }
}

look();
setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
