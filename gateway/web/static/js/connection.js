/* Says in words whether what is seen is live. */

import { badge, byId } from "./dom.js";

const WORDS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", offline: "Offline" };

/** Show `state`: connecting, live, reconnecting or offline. */
export const showConnection = (state) => badge(byId("connection"), state, WORDS[state]);
