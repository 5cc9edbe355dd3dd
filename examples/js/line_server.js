// Answers each line with its length, for any number of clients in one loop. Arguments: the host and the port.
//
// A `Watch` waits for the server and all clients at once. Nothing else in the program waits.
import { linger, startServer, ServerOptions, Watch } from "asyncio:streams/blocking@0.1.0";
import { getArguments } from "wasi:cli/environment@0.2.0";

const SERVER = 0; // The key of the server in the watch; clients have the keys from 1 on.
const NEWLINE = 10;
const MOST = 100; // The most lines that are answered together.
const SECOND = 1_000_000_000n; // Nanoseconds.

function serve(host, port) {
  const options = new ServerOptions();
  // The server disconnects a client after a minute of silence.
  options.setIdleTimeout(60n * SECOND);
  // All others wait while a connection is dropped: a client that takes nothing is given up after a second.
  options.setCloseDeadline(SECOND);
  // Answers for a client that does not read them.
  options.setMaxQueued(1 << 20);
  const server = startServer([host], port, options);
  for (const { val: address } of server.sockets()) {
    const host = address.host.includes(":") ? `[${address.host}]` : address.host;
    console.log(`listening on ${host}:${address.port}`);
  }

  const watch = new Watch();
  watch.add({ tag: "connection", val: server }, SERVER);
  const clients = new Map();
  let lastKey = SERVER;
  for (;;) {
    for (const key of watch.wait()) {
      if (key === SERVER) {
        lastKey = accept(server, watch, clients, lastKey);
      } else if (clients.has(key) && !answer(...clients.get(key))) {
        // The drops send what is left.
        for (const side of clients.get(key)) side[Symbol.dispose]();
        clients.delete(key);
      }
    }
  }
}

// Accepts every client that waits; returns the last key that was used.
function accept(server, watch, clients, lastKey) {
  let key = lastKey;
  for (let client; (client = server.tryAccept()); ) {
    do key = (key + 1) >>> 0;
    while (key === SERVER || clients.has(key));
    watch.add({ tag: "readable", val: [client[0], { tag: "line" }] }, key);
    clients.set(key, client);
  }
  return key;
}

// Answers some of the lines that are there; returns whether the client stays. The watch reports the rest again, so that a client that
// sends without end does not hold up the others.
function answer(reader, writer) {
  try {
    for (let count = 0; count < MOST; count++) {
      const line = reader.tryReadline();
      if (!line) break;
      if (line.length === 0) return false; // The end.
      const length = line.at(-1) === NEWLINE ? line.length - 1 : line.length;
      writer.write(new TextEncoder().encode(`${length}\n`));
    }
    return true;
  } catch {
    // The client is gone, or its line is too long.
    return false;
  }
}

export const run = {
  run() {
    const [, host, port] = getArguments();
    if (!/^\d+$/.test(port) || port > 65_535) {
      console.error("usage: line_server HOST PORT");
      throw undefined; // The program fails.
    }
    try {
      serve(host, Number(port));
    } catch (error) {
      // The WIT error of a call is the payload of the exception.
      console.error(error.payload ? `${host}:${port}: ${JSON.stringify(error.payload)}` : error);
      throw undefined;
    } finally {
      // The peers of closed connections lose nothing by the end of the program.
      linger();
    }
  },
};
