/* One refused message on the page of rejects. */

import { element, say } from "./dom.js";
import { ago, count, moment } from "./format.js";
import { about, payloadBox, visible } from "./payload.js";

const LINGER_MS = 5000; // what a replay did can be read that long, when the message itself is gone

export class RejectRow {
  #lingersUntil = 0;
  busy = false;
  heard = 0; // when the gateway last spoke of it, by performance.now()

  constructor(reject, onReplay) {
    this.reason = element("h2", { className: "wrap" });
    this.facts = element("dl", { className: "facts" });
    this.age = element("span", { className: "age" });
    this.times = element("span", { className: "times" });
    this.since = element("span");
    this.outcome = element("p", { className: "outcome" });
    this.outcome.setAttribute("role", "status");
    this.button = element("button", { type: "button", className: "quiet", hidden: reject.truncated }, "Replay");
    this.button.addEventListener("click", () => this.busy || onReplay(this));
    this.root = element("li", { className: "reject panel", data: { id: reject.id, source: reject.source } },
      element("div", { className: "reject-head" }, element("div", {}, this.reason, this.facts), this.button),
      payloadBox(reject),
      element("div", { className: "reject-foot" }, this.age, this.times, this.since, element("span", {}, about(reject))),
      this.outcome);
    this.update(reject);
  }

  /** Take the newest form of the same reject: it may have come again, or been refused for another reason. */
  update(reject) {
    if (reject.reason !== this.reject?.reason || reject.rule !== this.reject.rule) this.#describe(reject);
    this.reject = reject;
    this.heard = performance.now();
    this.root.dataset.count = reject.count;
    say(this.times, reject.count > 1 ? `${count(reject.count)} times` : "");
  }

  #describe({ source, topic, reason, rule, payload }) {
    say(this.reason, visible(reason));
    this.facts.replaceChildren(...facts({ Source: source, Topic: topic, Rule: rule ?? "" }));
    this.words = [source, topic, reason, rule, payload].join("\n").toLowerCase();
  }

  /** Say how old it is. */
  tick(now) {
    const { first, last, count: times } = this.reject;
    say(this.age, ago(now - last));
    this.age.title = moment(last, now);
    say(this.since, times > 1 ? `since ${moment(first, now)}` : `at ${moment(last, now)}`);
  }

  matches(source, text) {
    return (!source || this.reject.source === source) && this.words.includes(text);
  }

  /** Show that a replay runs. */
  begin() {
    this.busy = true;
    this.button.setAttribute("aria-disabled", "true");
    this.#say("busy", "Replaying…");
  }

  /** Show what a replay did. */
  end({ state, text }) {
    this.busy = false;
    this.button.removeAttribute("aria-disabled");
    this.button.hidden = state === "stored" || this.reject.truncated;
    this.#lingersUntil = Date.now() + LINGER_MS;
    this.#say(state, text);
  }

  #say(state, text) {
    this.root.dataset.outcome = state;
    say(this.outcome, text);
  }

  /** Whether there is something to read yet, even if the gateway has this reject no more. */
  get lingers() {
    return this.busy || Date.now() < this.#lingersUntil;
  }
}

const facts = (shown) => Object.entries(shown).filter(([, text]) => text).map(([name, text]) =>
  element("div", { data: { fact: name.toLowerCase() } }, element("dt", {}, name), element("dd", {}, visible(text))));
