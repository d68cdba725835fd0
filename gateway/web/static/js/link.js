/* The connection to the gateway: one socket, which comes back by itself. */

import { io } from "../vendor/socket.io.esm.min.js";
import { showConnection } from "./connection.js";

const ANSWER_MS = 10_000;
const OFFLINE_AFTER_MS = 15_000;
const KNOCK_MS = 3_000;

export class Link {
  #socket = io("/telemetry", { reconnectionDelay: 300, reconnectionDelayMax: 3000, timeout: 8000 });
  #ahead = 0; // the gateway's clock minus ours, in seconds
  #away = null;

  /** When the connection was lost, in Unix seconds by the gateway's clock; null while it stands. */
  lostAt = null;

  constructor() {
    this.#socket.on("connect", () => this.#live());
    this.#socket.on("disconnect", () => this.#lost());
    this.#socket.on("connect_error", () => this.#lost());
    for (const event of ["hello", "clock"]) { // on connect, and when the gateway's clock is set
      this.#socket.on(event, ({ time }) => { this.#ahead = time - Date.now() / 1000; });
    }
    for (const moment of ["online", "pageshow", "focus"]) addEventListener(moment, () => this.#knock());
    document.addEventListener("visibilitychange", () => document.hidden || this.#knock());
    setInterval(() => this.#socket.active || this.#knock(), KNOCK_MS); // not active: refused or sent away for good
  }

  /** Unix seconds by the gateway's clock, which the readings are stamped with. */
  now() {
    return Date.now() / 1000 + this.#ahead;
  }

  /** Call `handle` each time the connection is made. */
  onConnect(handle) {
    this.#socket.on("connect", handle);
  }

  /** Call `handle` each time the connection is lost. */
  onLost(handle) {
    this.#socket.on("disconnect", handle);
  }

  /** A socket of another namespace, on the same connection. */
  beside(namespace) {
    return this.#socket.io.socket(namespace).connect();
  }

  on(event, handle) {
    this.#socket.on(event, handle);
  }

  /** Send an event; return its acknowledgement, or throw an Error that says why there is none. */
  async ask(event, payload) {
    const answer = await this.#socket.timeout(ANSWER_MS).emitWithAck(event, payload);
    if (!answer.ok) throw new Error(answer.error?.message ?? `${event} was refused`);
    return answer;
  }

  #live() {
    clearTimeout(this.#away);
    this.#away = null;
    this.lostAt = null;
    showConnection("live");
  }

  #lost() {
    if (this.#away !== null) return;
    this.lostAt = this.now();
    showConnection(navigator.onLine ? "reconnecting" : "offline");
    this.#away = setTimeout(() => showConnection("offline"), OFFLINE_AFTER_MS);
  }

  /** Don't wait for the next try: the network or the page has just come back. */
  #knock() {
    if (!this.#socket.connected) this.#socket.connect();
  }
}
