/* Says in words whether what is seen is live, and of what isn't, that it was. */

import { badge, byId } from "./dom.js";
import { moment } from "./format.js";

const WORDS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", offline: "Offline" };
const AWAY = ["reconnecting", "offline"];

/** Show `state`: connecting, live, reconnecting or offline. What the page says of devices is greyed while it can't know. */
export function showConnection(state) {
  badge(byId("connection"), state, WORDS[state]);
  byId("content").toggleAttribute("data-away", AWAY.includes(state));
}

/** Show a state as it is, or, while the gateway can't be asked, as it was. */
export function showState(target, state, isAway) {
  if (isAway) badge(target, "unknown", `Was ${state}`);
  else badge(target, state);
}

/** Since when the gateway can't be asked, in words; nothing while `lostAt` (Unix seconds) is null. */
export const awaySince = (lostAt, now) => (lostAt === null ? "" : ` · no connection to the gateway since ${moment(lostAt, now)}`);
