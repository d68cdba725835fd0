/* What was refused and why, as it happens; and its replay. */

import { get } from "./api.js";
import { awaySince } from "./connection.js";
import { byId, element, say } from "./dom.js";
import { count, several } from "./format.js";
import { eachSecond } from "./frame.js";
import { Link } from "./link.js";
import { showRejects } from "./nav.js";
import { notice } from "./notices.js";
import { RejectList } from "./reject-list.js";
import { inWords, replayEverything, replayRow, replayRows } from "./replay.js";

const STEP = 100; // rejects
const MOST = 1000;
const LIVE_EVERY_S = 15; // beside the live connection, asking only finds what was replayed elsewhere
const ALONE_EVERY_S = 3;
const AFTER_REPLAY_S = 6; // then what was stored goes

const list = new RejectList(byId("rejects"), STEP, replayOne);
const link = new Link();
const ops = link.beside("/ops");
const all = byId("replay-all");
const filter = byId("filter");
const source = byId("source");
let from = new URLSearchParams(location.search).get("source") ?? ""; // the source whose rejects are shown
let total = 0;
let ledger = null;
let rest = 0; // seconds until the list is asked for again
let turn = null; // of "replay all": {stopped}

async function load() {
  rest = ops.connected ? LIVE_EVERY_S : ALONE_EVERY_S;
  const asked = performance.now();
  try {
    const answer = await get("rejects", { limit: list.most });
    total = answer.total;
    list.replace(answer.rejects, asked);
    show();
  } catch (error) {
    const lost = `${several(total, "reject")}${awaySince(link.lostAt, link.now())}`;
    say(byId("summary"), link.lostAt === null ? `The list couldn't be loaded: ${error.message}` : lost);
  }
}

function take({ rejects }) {
  total += list.take(rejects);
  show();
}

function show() {
  total = Math.max(total, list.size);
  const none = list.size === 0;
  byId("tools").hidden = byId("lead").hidden = none;
  byId("empty").hidden = !none;
  byId("more").hidden = list.size >= total || list.most >= MOST;
  byId("rejects").dataset.total = total;
  showRejects(total);
  offerSources();
  describe();
  sift();
  list.tick(link.now());
}

function describe() {
  const kept = total > list.size ? [`the newest ${count(list.size)} of ${several(total, "reject")}`] : [];
  const books = ledger?.received ? [`${count(ledger.rejected)} of ${several(ledger.received, "message")} rejected so far`] : [];
  say(byId("summary"), [...(total && !kept.length ? [several(total, "reject")] : kept), ...books].join(" · "));
  say(byId("empty-title"), whyNone());
}

function whyNone() {
  if (ledger?.received === 0) return "No message has come yet.";
  return ledger?.rejected ? "No reject is left." : "Every message that came was understood.";
}

function offerSources() {
  const names = [...new Set([...list.sources(), from])].filter(Boolean);
  source.hidden = names.length < 2 && !from;
  if (names.length === source.options.length - 1) return;
  source.replaceChildren(...["", ...names].map((name) => element("option", { value: name }, name || "All sources")));
  source.value = from;
}

function sift() {
  list.sift(from, filter.value.trim().toLowerCase());
  const shown = list.shown().length;
  const replayable = list.replayable().length;
  byId("no-match").hidden = shown > 0 || list.size === 0;
  all.disabled = !replayable && !turn;
  if (!turn) say(all, shown < list.size && shown ? `Replay these ${count(replayable)}` : "Replay all");
}

async function replayOne(row) {
  await replayRow(row);
  await loadSoonAgain();
}

async function replayAll() {
  if (turn) {
    turn.stopped = true;
    return;
  }
  turn = { stopped: false };
  try {
    notice(`Replayed: ${inWords(await replayWanted())}.`);
  } catch (error) {
    notice(`The replay failed: ${error.message}`);
  }
  turn = null;
  await loadSoonAgain();
}

/* One after another, where all that is wanted is on the page; else the gateway does it in one go. */
function replayWanted() {
  if (total > list.size && list.shown().length === list.size) {
    say(all, "Replaying all…");
    return replayEverything();
  }
  const progress = (done, of) => say(all, `Stop (${count(done)} of ${count(of)})`);
  return replayRows(list.replayable(), progress, () => turn.stopped);
}

async function loadSoonAgain() {
  await load();
  rest = Math.min(rest, AFTER_REPLAY_S);
}

ops.on("connect", load);
ops.on("rejects", take);
ops.on("ledger", (news) => { ledger = news.ledger; describe(); });
all.addEventListener("click", replayAll);
filter.addEventListener("input", sift);
source.addEventListener("input", () => {
  from = source.value;
  sift();
});
byId("more").addEventListener("click", () => {
  list.most = Math.min(list.most + STEP, MOST);
  load();
});
link.onLost(load);
eachSecond(() => {
  list.tick(link.now());
  rest -= 1;
  if (rest <= 0) load();
  if (!ops.active) ops.connect();
});
load();
