// Sends a line to an echo server and prints what comes back. Arguments: the server's host and port.
//
// asyncio's tutorial has the same program. Here every call blocks, and takes the time after which it gives up.
import { linger, openConnection, ConnectOptions } from "asyncio:streams/blocking@0.1.0";
import { getArguments } from "wasi:cli/environment@0.2.0";

const SECOND = 1_000_000_000n; // Times are nanoseconds.

// Escapes the characters with which a peer could move the cursor of a terminal, or hide or reorder text. StarlingMonkey has no `\p{C}`.
function escaped(text) {
  const special = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\\]/gu;
  return text.replace(special, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

function talk(host, port, message) {
  const options = new ConnectOptions();
  options.setDeadline(10n * SECOND);
  const [reader, writer] = openConnection(host, port, options);

  console.log(`Send: '${message}'`);
  writer.write(new TextEncoder().encode(`${message}\n`));

  // A read sends what was written before it waits.
  const line = reader.readline(10n * SECOND);
  console.log(`Received: '${escaped(new TextDecoder().decode(line).trimEnd())}'`);

  console.log("Close the connection");
  writer.close();
  writer.waitClosed(10n * SECOND);
}

export const run = {
  run() {
    const [, host, port, message] = getArguments();
    if (!/^\d+$/.test(port) || port > 65_535) {
      console.error("usage: echo_client HOST PORT [MESSAGE]");
      throw undefined; // The program fails.
    }
    try {
      talk(host, Number(port), message ?? "Hello World!");
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
