#!/usr/bin/env node
// The command `connectspec`: runs the program as if it had been called itself, with its exit status and its signals.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { program } from "./program.js";

// What the program says itself when it could not be asked.
const USAGE = 3;

let path;
try {
  path = program();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(USAGE);
}
const child = spawn(path, process.argv.slice(2), { stdio: "inherit" });
// A terminal sends them to both; whoever ends this process alone means the program.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`error: could not run ${path}: ${error.message}`);
  process.exit(USAGE);
});
child.on("exit", (status, signal) => process.exit(signal ? 128 + constants.signals[signal] : status));
