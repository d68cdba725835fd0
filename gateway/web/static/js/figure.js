/* A value and its unit, in figures as large as their place allows. */

import { say } from "./dom.js";

const UNIT_SIZE = 0.65; // as .unit in parts.css
const GAP = 0.25;

/** Show `given` in the parts {value, number, unit, figure} of a tile or a card. */
export function showValue({ value, number, unit, figure }, given) {
  const text = figure.text(given);
  const isText = typeof given !== "number";
  value.classList.toggle("text", isText);
  say(number, text);
  if (!isText) value.style.setProperty("--digits", digits(text, unit.textContent));
}

/* How many digits wide it is: a point or a comma is half a digit. */
function digits(text, unit) {
  const points = text.match(/[.,]/g)?.length ?? 0;
  return (text.length - points / 2 + UNIT_SIZE * (unit.length + GAP)).toFixed(1);
}
