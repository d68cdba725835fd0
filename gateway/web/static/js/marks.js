/* What a reading says of itself besides its values: a short mark in the table, and what it means. */

import { element } from "./dom.js";

const MARKS = [
  {
    name: "retained",
    applies: ({ retained }) => retained === true,
    meaning: "the broker had kept this message, and handed it over when the gateway subscribed. It may be old, "
      + "and doesn't say that the sensor is alive.",
  },
  {
    name: "clock unset",
    applies: ({ clock }) => clock === "unset",
    meaning: "the gateway's own clock wasn't set yet when this came. Its time is corrected once the clock is set.",
  },
];

/** The marks of one reading, as nodes. */
export const marksOf = (reading) => MARKS.filter(({ applies }) => applies(reading)).map(({ name, meaning }) =>
  element("span", { className: "mark", title: meaning, data: { mark: name } }, name));

/** What the marks of these readings mean, as list items: a phone shows no tooltips. */
export function legend(readings) {
  return MARKS.filter(({ applies }) => readings.some(applies)).map(({ name, meaning }) =>
    element("li", {}, element("span", { className: "mark" }, name), ` ${meaning}`));
}
