// wasm.mjs - runs check.c as WebAssembly: node wasm.mjs CHECK.wasm. What it imports is the function that prints.
import { readFileSync, writeSync } from "node:fs";

let memory;
const say = (at) => {
  const bytes = new Uint8Array(memory.buffer);
  writeSync(1, bytes.subarray(at, bytes.indexOf(0, at)));
};
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { env: { say } });
memory = instance.exports.memory;
process.exitCode = instance.exports.check();
