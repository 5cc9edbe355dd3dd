/** `streams.wasm`, to compose with a program that imports `asyncio:streams/streams`. */
export const streams: URL;
/** `streams-tls.wasm`: the same with TLS. */
export const streamsTls: URL;
/** `streams-unix.wasm`: with Unix sockets, for hosts that provide `asyncio:streams/unix-host`. */
export const streamsUnix: URL;
/** `streams-unix-tls.wasm`: the same with TLS. */
export const streamsUnixTls: URL;
/** `streams-p2.wasm`: the interface of calls that block, `asyncio:streams/blocking`, for hosts of WASI 0.2. */
export const streamsP2: URL;
/** `streams-p2-tls.wasm`: the same with TLS. */
export const streamsP2Tls: URL;
/** `serve.wasm`: listens, and calls the component that exports `asyncio:streams/handler`. */
export const serve: URL;
/** The folder of the WIT package, for tools that generate bindings. */
export const wit: URL;
