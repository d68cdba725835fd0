/* The ledger: what became of every message, and whether it adds up. */

import { element } from "./dom.js";
import { count } from "./format.js";

const OUTCOMES = ["stored", "rejected", "duplicate", "ignored", "dropped", "in_flight"];
const WORDS = { in_flight: "in flight" };
const word = (outcome) => WORDS[outcome] ?? outcome;

const sum = (ledger) => OUTCOMES.reduce((total, outcome) => total + ledger[outcome], 0);

/** `1,043 received = 1,000 stored + 43 rejected + …`, as nodes. */
export function equation(ledger) {
  const sums = sum(ledger) === ledger.received;
  const terms = OUTCOMES.flatMap((outcome, index) => [index ? " + " : " ", term(ledger[outcome], word(outcome))]);
  const sign = element("span", { data: { sums: sums ? "yes" : "no" } }, sums ? " =" : " ≠");
  return [term(ledger.received, "received"), sign, ...terms];
}

const term = (amount, name) => element("span", {}, count(amount), element("small", {}, name));

/** The table: the total first, then each source. */
export function ledgerRows({ ledger, sources }) {
  const total = row("All sources", ledger, "/rejects");
  total.className = "total";
  const titles = ["Source", "received", ...OUTCOMES].map((outcome) => element("th", { scope: "col" }, word(outcome)));
  return {
    head: element("tr", {}, ...titles),
    body: [total, ...sources.map(({ name, ledger: own }) => row(name, own, `/rejects?source=${encodeURIComponent(name)}`))],
  };
}

function row(name, ledger, rejects) {
  const amounts = ["received", ...OUTCOMES].map((outcome) => element("td", {}, amount(outcome, ledger[outcome], rejects)));
  return element("tr", {}, element("td", {}, name), ...amounts);
}

/* Rejected messages can be looked at, on the page `rejects`. */
function amount(outcome, n, rejects) {
  return outcome === "rejected" && n > 0 ? element("a", { href: rejects }, count(n)) : count(n);
}
