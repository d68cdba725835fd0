// A viewer made of the official client with its default options.
//   node viewer.mjs URL [NAMESPACE]
// Reads commands as JSON lines ["join", {...}] from stdin, writes what happens as JSON lines:
// {"event": NAME, "data": ..., "at": UNIX_MS}; an acknowledgement is {"event": "ack:join", ...}.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const say = (event, data) => process.stdout.write(JSON.stringify({ event, data, at: Date.now() }) + "\n");
const socket = io(process.argv[2] + (process.argv[3] ?? "/telemetry"));

socket.on("connect", () => say("connect", socket.id));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => say("connect_error", error.message));
socket.onAny((event, data) => say(event, data));
socket.io.engine.on("upgrade", (transport) => say("upgrade", transport.name));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [event, ...args] = JSON.parse(line);
    socket.emit(event, ...args, (answer) => say(`ack:${event}`, answer));
  })
  .on("close", () => socket.close()); // and Node ends once all is written
