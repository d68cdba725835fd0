import assert from "node:assert/strict";
import { test } from "node:test";

import { about, hexDump, visible } from "../../../gateway/web/static/js/payload.js";

test("what isn't seen, or turns what follows, is escaped", () => {
  assert.equal(visible("\u202egnp.exe"), "\\u202egnp.exe");
  assert.equal(visible("a\u0000b\u001b[31mc\u200bd\ufeff"), "a\\u0000b\\u001b[31mc\\u200bd\\ufeff");
  assert.equal(visible("küche 🌡️ <b>\n\t\"x\""), "küche 🌡️ <b>\n\t\"x\"");
});

test("bytes are shown as a hex dump", () => {
  assert.equal(hexDump(Uint8Array.from([])), "");
  assert.equal(
    hexDump(Uint8Array.from([0xff, 0xfe, 0x41, 0x20, 0x7e, 0x7f])),
    "0000  ff fe 41 20 7e 7f                                ..A ~.",
  );
  const lines = hexDump(new Uint8Array(33)).split("\n");
  assert.deepEqual(lines.map((line) => line.slice(0, 8)), ["0000  00", "0010  00", "0020  00"]);
});

test("a payload is described", () => {
  assert.equal(about({ payload: "", size: 0, truncated: false }), "empty payload");
  assert.equal(about({ payload: "21,4", size: 4, truncated: false }), "4 B");
  const cut = about({ payload: null, size: 10_485_760, truncated: true });
  assert.equal(cut, "not text: shown in hex · 10 MiB · only the beginning is kept: it can't be replayed");
});
