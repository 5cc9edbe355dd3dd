// The paths of the components, for tools that compose and transpile them.
const file = (name) => new URL(name, import.meta.url);

export const streams = file("./streams.wasm");
export const streamsTls = file("./streams-tls.wasm");
export const streamsUnix = file("./streams-unix.wasm");
export const streamsUnixTls = file("./streams-unix-tls.wasm");
export const streamsP2 = file("./streams-p2.wasm");
export const streamsP2Tls = file("./streams-p2-tls.wasm");
export const serve = file("./serve.wasm");
export const wit = file("./wit/");
