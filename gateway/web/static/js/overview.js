/* The overview: a card for each device, which fills itself. */

import { hasAddress, newest } from "./api.js";
import { Card } from "./card.js";
import { awaySince } from "./connection.js";
import { byId, capital, element, say } from "./dom.js";
import { several } from "./format.js";
import { coalesced, eachSecond } from "./frame.js";
import { Link } from "./link.js";
import { look, onStatus } from "./nav.js";

const FILTER_FROM = 9; // devices
const PAST = 60; // readings
const MOST_CARDS = 2000;
const SOON_MS = 2000; // whoever waits for a first reading, or edits a file for it, wants to see what takes effect

const cards = new Map();
const changed = new Set();
const grid = byId("devices");
const filter = byId("filter");
const link = new Link();
let entered = false; // and so known whether there are devices
let idle = false; // no source is enabled
let soon = null;
const inOrder = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

const draw = coalesced(() => {
  for (const card of changed) card.draw();
  changed.clear();
});

function take(devices) {
  const known = cards.size;
  for (const device of devices) cardOf(device)?.update(device);
  if (cards.size !== known) arrange();
  summarise();
  draw();
}

function cardOf(device) {
  if (!cards.has(device.id) && cards.size < MOST_CARDS) {
    const card = new Card(device);
    cards.set(device.id, card);
    whenSeen.observe(card.root);
  }
  const card = cards.get(device.id);
  if (card) changed.add(card);
  return card;
}

function arrange() {
  const sorted = [...cards.values()].sort((one, other) => inOrder.compare(one.device.id, other.device.id));
  sorted.forEach((card, index) => {
    if (grid.children[index] !== card.root) grid.insertBefore(card.root, grid.children[index] ?? null);
  });
  sayWhyEmpty();
  filter.hidden = cards.size < FILTER_FROM;
  sift();
}

function sayWhyEmpty() {
  const empty = entered && cards.size === 0;
  byId("empty").hidden = !empty || idle;
  byId("no-source").hidden = !empty || !idle;
}

function sift() {
  const wanted = filter.hidden ? "" : filter.value.trim().toLowerCase();
  let shown = 0;
  for (const { root, device } of cards.values()) {
    root.hidden = !`${device.id}\n${device.source ?? ""}`.toLowerCase().includes(wanted);
    shown += root.hidden ? 0 : 1;
  }
  byId("no-match").hidden = shown > 0 || cards.size === 0;
}

function summarise() {
  const online = [...cards.values()].filter(({ device }) => device.state === "online").length;
  const states = link.lostAt === null ? `, ${online} online` : awaySince(link.lostAt, link.now());
  say(byId("summary"), cards.size ? several(cards.size, "device") + states : "");
  grid.dataset.devices = cards.size;
}

function tick() {
  for (const card of cards.values()) card.tick(link.now(), link.lostAt !== null);
}

/* History is asked for when a card comes into view, a few at a time. */
const waiting = [];
let loading = 0;

const whenSeen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    whenSeen.unobserve(target);
    if (hasAddress(target.dataset.id)) waiting.push(cards.get(target.dataset.id));
  }
  loadNext();
}, { rootMargin: "200px" });

async function loadNext() {
  while (loading < 3 && waiting.length) {
    const card = waiting.shift();
    loading += 1;
    newest(card.device.id, PAST)
      .then((readings) => card.addPast(readings))
      .catch(() => {}) // the spark line then begins now
      .finally(() => { loading -= 1; loadNext(); });
  }
}

async function enter() {
  const { devices } = await link.ask("overview", {});
  entered = true;
  take(devices);
  arrange();
  tick();
}

link.onConnect(() => enter().catch((error) => say(byId("summary"), error.message)));
link.onLost(() => { summarise(); tick(); });
link.on("devices", ({ devices }) => { take(devices); tick(); });
onStatus(({ sources, problems }) => {
  idle = sources.every(({ state }) => state === "disabled");
  byId("trouble").replaceChildren(...problems.map((text) => element("li", {}, capital(text))));
  clearTimeout(soon);
  if (!cards.size) soon = setTimeout(look, SOON_MS);
  sayWhyEmpty();
});
filter.addEventListener("input", sift);
addEventListener("resize", redraw);
document.addEventListener("themechange", redraw);
eachSecond(tick);

function redraw() {
  for (const card of cards.values()) changed.add(card);
  draw();
}
