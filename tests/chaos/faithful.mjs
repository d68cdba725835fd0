// A viewer made of the official client that keeps its place: after each connect it joins with `since`.
//   node faithful.mjs URL OPTIONS DEVICE...
// Says what happens as JSON lines ["join", device, since], ["readings", device, [...]], ["gap", device, from, to, reason],
// ["connect"], ["disconnect", reason]. Ends when stdin ends.
import { io } from "socket.io-client";

const [url, options, ...devices] = process.argv.slice(2);
const say = (...event) => process.stdout.write(JSON.stringify(event) + "\n");
const position = Object.fromEntries(devices.map((device) => [device, 0]));
const socket = io(url + "/telemetry", JSON.parse(options));

socket.on("connect", () => {
  say("connect");
  for (const device of devices) {
    say("join", device, position[device]);
    socket.emit("join", { device, since: position[device] });
  }
});
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("readings", ({ device, readings }) => {
  say("readings", device, readings);
  for (const { seq } of readings) if (seq !== null) position[device] = seq;
});
socket.on("gap", ({ device, from, to, reason }) => {
  say("gap", device, from, to, reason);
  position[device] = to;
});
process.stdin.resume().on("end", () => process.exit(0));
