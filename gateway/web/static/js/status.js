/* The status page: polled, so that it also tells of a gateway whose live part is in trouble. */

import { get } from "./api.js";
import { awaySince, showConnection, showState } from "./connection.js";
import { badge, byId, capital, element, say } from "./dom.js";
import { ago, bytes, count, duration, moment } from "./format.js";
import { ledgerRows, equation } from "./ledger.js";
import { showProblems } from "./nav.js";

const EVERY_MS = 2000;
const IN_STEP_S = 2; // what a message may be on its way
const OFF_S = 60; // from here on the gateway calls it a problem
let failures = 0;
let known = null; // the last answer

async function poll() {
  try {
    show(await get("status"));
    failures = 0;
    showConnection("live");
  } catch {
    failures += 1;
    if (failures === 1 && known) showAway(known);
    showConnection(failures > 5 ? "offline" : "reconnecting");
  }
}

async function forever() {
  while (true) {
    if (!document.hidden) await poll();
    await new Promise((resume) => setTimeout(resume, EVERY_MS));
  }
}

function show(status) {
  const { gateway, problems } = status;
  known = status;
  showState(byId("health"), health(status), false);
  say(byId("about"), `${gateway.name} · version ${gateway.version} · up for ${duration(gateway.uptime_s)}`);
  showProblems(problems);
  byId("problems").replaceChildren(...problems.map((text) => element("li", {}, capital(text))));
  byId("sources").closest("section").hidden = !status.sources.length; // then a problem says so
  byId("sources").replaceChildren(...status.sources.map(sourceRow));
  byId("equation").replaceChildren(...equation(status.ledger));
  const rows = ledgerRows(status);
  byId("ledger-head").replaceChildren(rows.head);
  byId("ledger").replaceChildren(...rows.body);
  tiles("facts", figures(status));
  tiles("journal", journal(status.journal));
}

/* What is seen is of the last answer, and no claim. */
function showAway(status) {
  const now = Date.now() / 1000;
  showState(byId("health"), health(status), true);
  say(byId("about"), `${status.gateway.name} · version ${status.gateway.version}${awaySince(now, now)}`);
}

const health = ({ healthy }) => (healthy ? "healthy" : "degraded");

function figures({ sources, devices, clients, live }) {
  const up = sources.filter(({ state }) => state === "up").length;
  const lag = (quantile) => (live?.lag_ms?.[quantile] ? `${live.lag_ms[quantile].toFixed(1)} ms` : "–");
  return {
    Devices: count(devices),
    "Sources up": `${up} of ${sources.length}`,
    "Live viewers": count(clients), // this page asks instead
    "Live lag, median": lag("p50"),
    "Live lag, 99 of 100": lag("p99"),
  };
}

function journal({ readings, bytes: size, oldest, writable }) {
  return {
    Readings: count(readings),
    Size: bytes(size),
    "Oldest reading": oldest === null ? "–" : moment(oldest, Date.now() / 1000),
    Writing: writable ? "yes" : "no: nothing is kept now",
  };
}

function tiles(id, facts) {
  byId(id).replaceChildren(...Object.entries(facts).map(([label, text]) =>
    element("li", { className: "tile" },
      element("p", { className: "label" }, label), element("p", { className: "value text" }, text))));
}

function sourceRow({ name, type, state, since, reason, skew_s: skew = null }) {
  const now = Date.now() / 1000;
  const badged = element("span", { className: "badge" });
  badge(badged, state);
  const start = `${moment(since, now)}, ${ago(now - since)}`;
  const cells = { Name: name, Type: type, State: badged, Since: start, Clock: clockOf(skew), Reason: reason ?? "" };
  const classes = { Reason: "reason", Clock: Math.abs(skew) > OFF_S ? "off" : "" };
  return element("tr", { data: { source: name } }, ...Object.entries(cells).map(([head, content]) =>
    element("td", { data: { head }, className: classes[head] ?? "" }, content)));
}

/* `skew`: seconds from the time that the source gives to the arrival; null where it gives none. */
function clockOf(skew) {
  if (skew === null) return "";
  if (Math.abs(skew) < IN_STEP_S) return "in step";
  return `${duration(Math.abs(skew))} ${skew > 0 ? "behind" : "ahead"}`;
}

forever();
