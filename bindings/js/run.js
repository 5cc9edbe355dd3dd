// Runs a command of WASI 0.2 on Node: `node run.js PROGRAM.wasm [ARGUMENT…]`.
//
// jco translates the component to JavaScript, once: the result stays in the folder `programs` beside this file.
// Exit status: 0, 1 when the program failed, 2 when it trapped or did not start.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { _setArgs } from "@bytecodealliance/preview2-shim/cli";

import "./half_close.js";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "programs");

async function translated(file) {
  const component = await readFile(file);
  const folder = join(FOLDER, createHash("sha256").update(component).digest("hex"));
  if (!existsSync(folder)) {
    const { files } = await transpileBytes(component, { name: "program", noTypescript: true, wasiShim: true });
    await mkdir(FOLDER, { recursive: true });
    const fresh = await mkdtemp(join(FOLDER, "fresh-"));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(fresh, name)), { recursive: true });
      await writeFile(join(fresh, name), content);
    }
    // Another process may have been faster.
    await rename(fresh, folder).catch(() => rm(fresh, { recursive: true }));
  }
  return pathToFileURL(join(folder, "program.js")).href;
}

const [, , ...program] = process.argv;
_setArgs(program);

let status = 2;
try {
  const { run } = await import(await translated(program[0]));
  run.run();
  status = 0;
} catch (error) {
  // The error of `wasi:cli/run` has no content: a program that fails says why by itself.
  if (error === undefined || error.constructor.name === "ComponentError") status = 1;
  else console.error(error);
}
// Output of the program goes through another thread.
setTimeout(() => process.exit(status));
