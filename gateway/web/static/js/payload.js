/* A payload as people can look at it, whatever it is made of. */

import { element } from "./dom.js";
import { bytes } from "./format.js";

const A_LINE = 16; // bytes of a hex dump
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const escape = (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** `text` with escapes for what isn't seen, or would change the order in which the rest is seen. */
export const visible = (text) => text.replace(UNSEEN, escape);

/** `0010  ff fe 00 41 …  ...A`, a line for each 16 bytes. */
export function hexDump(data) {
  const lines = [];
  for (let start = 0; start < data.length; start += A_LINE) lines.push(hexLine(data, start));
  return lines.join("\n");
}

function hexLine(data, start) {
  const part = [...data.slice(start, start + A_LINE)];
  const pairs = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const signs = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
  return `${start.toString(16).padStart(4, "0")}  ${pairs.padEnd(3 * A_LINE - 1)}  ${signs}`;
}

/** Its size, and what is special about it, in words. */
export function about({ payload, size, truncated }) {
  if (size === 0) return "empty payload";
  const form = payload === null ? ["not text: shown in hex"] : [];
  return [...form, bytes(size), ...(truncated ? ["only the beginning is kept: it can't be replayed"] : [])].join(" · ");
}

/** The box with a reject's payload. */
export function payloadBox({ payload, payload_base64: encoded, size }) {
  const text = payload === null ? hexDump(fromBase64(encoded)) : visible(payload);
  const box = element("pre", { className: "payload", hidden: size === 0, tabIndex: 0, data: { form: payload === null ? "hex" : "text" } }, text);
  box.setAttribute("aria-label", "Payload");
  return box;
}

const fromBase64 = (encoded) => Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
