/* When to draw: with the next frame, once, however many readings came. */

const LEAST_PAUSE_MS = 50; // twenty drawings a second are enough for the eye, and leave the processor to others
const LONGEST_PAUSE_MS = 400;

/**
 * Return a function that asks for `draw` to be called with the next frame.
 * The first is drawn at once, what comes in the pause after a drawing with the next. A hidden tab doesn't draw.
 */
export function coalesced(draw) {
  let busy = false;
  let again = false;

  function ask() {
    again = busy;
    if (busy) return;
    busy = true;
    requestAnimationFrame(frame);
  }

  function frame() {
    again = false;
    const start = performance.now();
    try {
      draw();
    } finally {
      const pause = Math.max(LEAST_PAUSE_MS, 2 * (performance.now() - start));
      setTimeout(rested, Math.min(pause, LONGEST_PAUSE_MS));
    }
  }

  function rested() {
    busy = false;
    if (again) ask();
  }
  return ask;
}

/** Call `beat` each second while the page is visible, and at once when it becomes visible. */
export function eachSecond(beat) {
  setInterval(() => document.hidden || beat(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || beat());
}
