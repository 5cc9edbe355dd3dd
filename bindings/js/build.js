// Makes a component of a program in JavaScript: `node build.js PROGRAM.js WIT-FOLDER WORLD OUT.wasm`.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";

import { componentize } from "@bytecodealliance/componentize-js";
import { _addPreopen } from "@bytecodealliance/preview2-shim/filesystem";

const [program, wit, world, out] = process.argv.slice(2);

// componentize-js reads the WIT by a component of its own, to which this version of the shim grants no folder.
_addPreopen("/", "/");

const { component } = await componentize({
  sourcePath: resolve(program),
  witPath: resolve(wit),
  worldName: world,
  // A program of streams has no use for them, and its component would import wasi:http.
  disableFeatures: ["http", "fetch-event"],
});
await writeFile(out, component);
