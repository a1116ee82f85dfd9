#!/usr/bin/env node
// Plain JavaScript for whatever Node the user has: finds one that runs TypeScript as it stands, and hands over.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The first Node that strips types without being asked. */
const NEEDED = [22, 18];

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

if (isNewEnough(process.versions.node)) {
  await import(new URL("../src/cli/main.ts", import.meta.url).href);
} else {
  const node = carriedNode();
  if (node === null) {
    process.stderr.write(
      `muster: Node ${process.versions.node} is too old; install Node ${NEEDED.join(".")} or newer, or run npm install here\n`,
    );
    process.exitCode = 1;
  } else handOver(node);
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

/** The Node that the project carries as a dependency; null when it is not installed. */
function carriedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    return join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch {
    return null; // not installed, or left out by --omit=dev
  }
}

function handOver(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => {
    process.stderr.write(`muster: ${node} can't be run (${error.code})\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    for (const each of signals) process.removeListener(each, forward);
    if (signal === null) process.exit(code ?? 1);
    else process.kill(process.pid, signal);
  });
}
