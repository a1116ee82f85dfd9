#!/usr/bin/env node
// Plain JavaScript, which every supported Node runs: starts the CLI with a Node that runs TypeScript directly.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The first Node version that strips types without a flag. */
const REQUIRED = [22, 18];

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

if (isNewEnough(process.versions.node)) {
  await import(new URL("../src/cli/main.ts", import.meta.url).href);
} else {
  const node = bundledNode();
  if (node === null) {
    process.stderr.write(
      `muster: Node ${process.versions.node} is too old; install Node ${REQUIRED.join(".")} or newer, or run npm install here\n`,
    );
    process.exitCode = 1;
  } else runWith(node);
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > REQUIRED[0] || (major === REQUIRED[0] && minor >= REQUIRED[1]);
}

/** The path of the Node that the npm package `node` provides; null when it is not installed. */
function bundledNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    return join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch {
    return null; // not installed, for example because of --omit=dev
  }
}

/** Runs the CLI as a child process; passes signals on, and its exit code back. */
function runWith(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => {
    process.stderr.write(`muster: cannot run ${node} (${error.code})\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    for (const each of signals) process.removeListener(each, forward);
    if (signal === null) process.exit(code ?? 1);
    else process.kill(process.pid, signal);
  });
}
