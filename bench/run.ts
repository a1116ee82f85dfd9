/** `npm run bench -- NAME [SCALE]`: runs a benchmark, prints its figures as the last line, and stores them in results/. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { Unavailable, type Bench } from "./bench.ts";
import { assign } from "./assign.ts";
import { profileAssign, profileBatches } from "./assign/profile.ts";
import { backup } from "./backup.ts";
import { blackHole } from "./black-hole.ts";
import { busyHandler } from "./busy-handler.ts";
import { callbacks } from "./callbacks.ts";
import { cellsChoice } from "./cells-choice.ts";
import { cells } from "./cells.ts";
import { dashboard } from "./dashboard.ts";
import { events } from "./events.ts";
import { fairness } from "./fairness.ts";
import { fairnessReal } from "./fairness-real.ts";
import { fleet } from "./fleet.ts";
import { handshake } from "./handshake.ts";
import { kill, killCells } from "./kill.ts";
import { liveness } from "./liveness.ts";
import { metrics } from "./metrics.ts";
import { pythonPeer } from "./python-peer.ts";
import { rankIndexBench } from "./rank-index.ts";
import { reconnect } from "./reconnect.ts";
import { rollingRestart } from "./rolling-restart.ts";
import { selection } from "./selection.ts";
import { selectionField } from "./selection-field.ts";
import { serve } from "./serve.ts";
import { shapesBench } from "./shapes.ts";
import { stalls } from "./stalls.ts";
import { storage } from "./storage.ts";
import { stmf } from "./stmf.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  assign,
  backup,
  "black-hole": blackHole,
  "busy-handler": busyHandler,
  callbacks,
  cells,
  "cells-choice": cellsChoice,
  dashboard,
  events,
  fairness,
  "fairness-real": fairnessReal,
  fleet,
  handshake,
  kill,
  "kill-cells": killCells,
  liveness,
  metrics,
  "profile-assign": profileAssign,
  "profile-batches": profileBatches,
  "python-peer": pythonPeer,
  "rank-index": rankIndexBench,
  reconnect,
  "rolling-restart": rollingRestart,
  selection,
  "selection-field": selectionField,
  serve,
  shapes: shapesBench,
  stalls,
  stmf,
  storage,
};

const [name = "", scale = "1"] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined || !(Number(scale) > 0)) {
  console.error("usage: npm run bench -- NAME [SCALE]; NAME is one of");
  for (const [known, { summary }] of Object.entries(BENCHES))
    console.error(`  ${known}: ${summary}`);
  process.exit(2);
}

const figures = await bench
  .run((line) => console.log(line), Number(scale))
  .catch((error: unknown) => {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`${name} cannot run here: ${error.message}`);
    process.exit(2);
  });
const result = {
  bench: name,
  date: new Date().toISOString().slice(0, 10),
  machine: {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
  },
  node: process.version,
  scale: Number(scale),
  ...figures,
};
if (Number(scale) >= 1 && bench.isKept !== false) {
  const folder = new URL("results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(result, null, 2)}\n`);
}
console.log(JSON.stringify(result));
process.exit(figures.ok ? 0 : 1);
