/* One device, live: its place in the stream outlives the connection. */

import { Absences } from "./absences.js";
import { between, get } from "./api.js";
import { words } from "./bands.js";
import { awaySince, showState } from "./connection.js";
import { byId, capital, say } from "./dom.js";
import { ago, moment, several } from "./format.js";
import { coalesced, eachSecond } from "./frame.js";
import { Link } from "./link.js";
import { notice } from "./notices.js";
import { Past } from "./past.js";
import { MOST_READINGS, Record } from "./record.js";
import { windowOf } from "./span.js";
import { View } from "./view.js";

const BACKLOG = 600; // readings: drawn at once, before the history comes
const SETTLED_MS = 1000;
const page = byId("content");
const device = page.dataset.device;
const maxHz = Number(new URLSearchParams(location.search).get("max_hz")); // for a wall display: /devices/ID?max_hz=1
const rate = maxHz > 0 ? { max_hz: Math.min(Math.max(maxHz, 0.1), 1000) } : {};

const record = new Record();
const past = new Past(device, record);
const absences = new Absences(device);
const link = new Link();
const draw = coalesced(drawNow);
const view = new View(draw);
let about = null;
let seconds = 300;
let asking = false;
let settling = null;
let awaited = null; // the newest `seq` as we joined, until it is here

function drawNow() {
  const now = link.now();
  const span = windowOf(seconds, now, record.newest);
  view.draw(record, span, now, absences.within(span));
  page.dataset.lastSeq = record.last ?? "";
  page.dataset.firstSeq = record.first ?? "";
  page.dataset.points = record.total;
  page.dataset.held = span.held;
  page.dataset.unexplained = record.breaks.filter(({ reason }) => reason === "unexplained").length;
  tick(span);
}

function tick(span = windowOf(seconds, link.now(), record.newest)) {
  if (!about) return;
  showState(byId("state"), about.state, link.lostAt !== null);
  byId("tiles").dataset.state = about.state;
  const seen = Math.max(about.last_seen ?? 0, Math.min(record.newest ?? 0, link.now()));
  say(byId("about"), `from ${about.source} · last reading ${ago(link.now() - seen)}${awaySince(link.lostAt, link.now())}`);
  if (span.held) say(byId("progress"), `Nothing newer: the charts end at ${moment(span.end, link.now())}`);
}

function learn(news) {
  if (!news) return;
  about = news;
  view.learn(news.metrics);
  draw();
}

/* Units and labels come with the device; a metric that is new to it isn't described yet. */
async function learnNew() {
  if (asking || record.names().every((name) => name in (about?.metrics ?? {}))) return;
  asking = true;
  try {
    learn(await get(`devices/${encodeURIComponent(device)}`));
  } catch {
    // shown without a unit then
  }
  setTimeout(() => { asking = false; }, 1000);
}

async function join() {
  const since = record.last;
  const position = since === null ? { backlog: BACKLOG } : { since };
  const answer = await link.ask("join", { device, ...position, ...rate });
  learn(answer.device);
  if (since !== null && answer.seq < since) {
    return restart("The gateway's journal was replaced: these charts begin anew.");
  }
  awaited = answer.seq > 0 ? answer.seq : null;
  return reach();
}

/* History goes before what comes live: the position is that of the stream, which mustn't be overtaken. */
function reach() {
  if (awaited === null || (record.last ?? 0) < awaited) return undefined;
  awaited = null;
  return loadPast();
}

/* What is here no longer fits the journal: begin anew, and say why. */
async function restart(why) {
  await link.ask("leave", { device });
  record.clear();
  past.reset();
  absences.clear();
  view.clear();
  byId("notices").replaceChildren();
  notice(why);
  return join();
}

async function loadPast() {
  const progress = byId("progress");
  try {
    await absences.load();
    const whole = await past.load(link.now() - seconds, (total) => {
      say(progress, `Loading: ${several(total, "reading")}`);
      draw();
    });
    say(progress, whole ? "" : `The newest ${several(MOST_READINGS, "reading")} of this range`);
  } catch (error) {
    say(progress, `History couldn't be loaded: ${error.message}`);
  }
}

/* Times of before the gateway's clock was set are put right part by part: wait until that is over. */
function putRight() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    restart("The gateway's clock was set: earlier times are right now.").catch((error) => notice(error.message));
  }, SETTLED_MS);
}

/* The journal has true times of absences a moment after the clock was set. */
function learnAbsences() {
  setTimeout(() => absences.load().then(draw, () => {}), 2 * SETTLED_MS);
}

function take({ readings, thinned }) {
  if (!record.add(readings, thinned)) return;
  reach();
  draw();
  learnNew();
}

function miss(gap) {
  record.miss(gap);
  const kept = record.breaks.at(-1);
  const action = gap.reason === "slow" || gap.reason === "unreadable" ? { label: "Load them", run: () => refill(kept) } : undefined;
  notice(`${capital(words(gap))}.`, action);
  reach();
  draw();
}

async function refill(gap) {
  record.fill(gap, await between(device, gap.from, gap.to));
  draw();
}

function choose(chosen) {
  seconds = Number(chosen.dataset.seconds);
  for (const button of byId("ranges").children) button.setAttribute("aria-pressed", String(button === chosen));
  draw();
}

function mine(handle) {
  return (event) => event.device === device && handle(event);
}

link.onConnect(() => join().catch((error) => notice(`The gateway refused this device: ${error.message}`)));
link.onLost(() => { say(byId("watchers"), ""); tick(); });
link.on("readings", mine(take));
link.on("gap", mine(miss));
link.on("rebased", mine(putRight));
link.on("absence", (news) => absences.take(news, about?.source) && draw());
link.on("clock", learnAbsences);
link.on("device", (news) => news.id === device && learn(news));
link.on("room_info", mine(({ watchers }) => say(byId("watchers"), watchers > 1 ? `${watchers} watching` : "")));
byId("ranges").addEventListener("click", ({ target }) => {
  if (!target.dataset.seconds) return;
  choose(target);
  if (awaited === null && record.newest !== null) loadPast();
});
document.addEventListener("themechange", draw);
eachSecond(draw);
choose(byId("ranges").firstElementChild);
