/* A line without axes: where a value has been. */

import { token } from "./dom.js";

const MOST = 60;
const MARGIN = 4;

export class Spark {
  #values = [];

  constructor(canvas) {
    this.canvas = canvas;
    canvas.setAttribute("aria-hidden", "true"); // the number beside it says what matters
  }

  /** Put `values` before what is there already. */
  prepend(values) {
    this.#values = [...values, ...this.#values].slice(-MOST);
  }

  push(value) {
    this.#values.push(value);
    if (this.#values.length > MOST) this.#values.shift();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    const pen = this.#pen(width, height);
    const points = this.#points(width, height);
    if (points.length > 1) this.#line(pen, points, height);
    if (points.length) dot(pen, points.at(-1));
  }

  #pen(width, height) {
    const ratio = devicePixelRatio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.strokeStyle = pen.fillStyle = token("--line-1");
    return pen;
  }

  #points(width, height) {
    const low = Math.min(...this.#values);
    const span = Math.max(...this.#values) - low;
    const step = (width - 2 * MARGIN) / (MOST - 1);
    const start = width - MARGIN - step * (this.#values.length - 1);
    const room = height - 2 * MARGIN;
    return this.#values.map((value, index) => [
      start + index * step,
      MARGIN + room * (span ? 1 - (value - low) / span : 0.5), // what stays the same runs in the middle
    ]);
  }

  #line(pen, points, height) {
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.lineWidth = 1.75;
    pen.lineJoin = "round";
    pen.stroke();
    pen.lineTo(points.at(-1)[0], height);
    pen.lineTo(points[0][0], height);
    pen.globalAlpha = 0.1;
    pen.fill();
    pen.globalAlpha = 1;
  }
}

function dot(pen, [x, y]) {
  pen.beginPath();
  pen.arc(x, y, 2.75, 0, 2 * Math.PI);
  pen.fill();
}
