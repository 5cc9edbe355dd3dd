// Ends one direction of a connection as WASI demands. The shim of jco ends both: docs/wasi-0.2.md says why.
//
// Import it before the program: `import "./half_close.js"`, or `npx jco run --jco-import ./half_close.js app.wasm`.
import { tcp } from "@bytecodealliance/preview2-shim/sockets";

const { prototype } = tcp.TcpSocket;
const { accept, finishConnect, shutdown } = prototype;

// The output stream of each connected socket.
const outputs = new WeakMap();

prototype.finishConnect = function () {
  const [input, output] = finishConnect.call(this);
  outputs.set(this, output);
  return [input, output];
};

prototype.accept = function () {
  const [socket, input, output] = accept.call(this);
  outputs.set(socket, output);
  return [socket, input, output];
};

prototype.shutdown = function (direction) {
  const output = outputs.get(this);
  if (direction !== "send" || !output) return shutdown.call(this, direction);
  // The drop of the stream has Node send what it holds, and then the end. From then on the stream is closed.
  outputs.delete(this);
  output[Symbol.dispose ?? Symbol.for("dispose")]();
};
