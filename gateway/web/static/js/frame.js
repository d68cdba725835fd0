/* When to draw: with the next frame, once, however many readings came. */

const COMFORTABLE_MS = 12;
const LONGEST_PAUSE_MS = 400;

/**
 * Return a function that asks for `draw` to be called with the next frame.
 * A draw that takes long is followed by a pause, so that the page stays usable; a hidden tab doesn't draw.
 */
export function coalesced(draw) {
  let asked = false;

  function frame() {
    const start = performance.now();
    draw();
    const cost = performance.now() - start;
    if (cost < COMFORTABLE_MS) asked = false;
    else setTimeout(rested, Math.min(2 * cost, LONGEST_PAUSE_MS));
  }

  let again = false;
  function rested() {
    asked = false;
    if (again) ask();
  }

  function ask() {
    again = asked;
    if (asked) return;
    asked = true;
    requestAnimationFrame(frame);
  }
  return ask;
}

/** Call `beat` each second while the page is visible, and at once when it becomes visible. */
export function eachSecond(beat) {
  setInterval(() => document.hidden || beat(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || beat());
}
