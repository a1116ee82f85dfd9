import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CpuProfile, ProfileNode } from "./inspector.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** A function of a profile. The time is that in which it was at the top of the stack, in milliseconds. */
export interface SelfTime {
  readonly name: string;
  /** Source file and line; empty for functions of V8 and workerd. */
  readonly place: string;
  readonly ms: number;
}

/** The time of each node of the profile, in microseconds, by its ID. */
export function nodeTimes({ samples, timeDeltas }: CpuProfile): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  samples.forEach((id, n) => {
    // The time after a sample, until the next one, belongs to its node.
    const us = Math.max(0, timeDeltas[n + 1] ?? 0);
    times.set(id, (times.get(id) ?? 0) + us);
  });
  return times;
}

/** The functions of a profile by their own time, the longest first. */
export function selfTimes(profile: CpuProfile, placeOf: PlaceOf): readonly SelfTime[] {
  const times = nodeTimes(profile);
  const found = new Map<string, { name: string; place: string; ms: number }>();
  for (const node of profile.nodes) {
    const name = nameOf(node);
    const place = placeOf(node);
    const key = `${name} ${place}`;
    const entry = found.get(key) ?? { name, place, ms: 0 };
    entry.ms += (times.get(node.id) ?? 0) / 1_000;
    found.set(key, entry);
  }
  return [...found.values()].toSorted((a, b) => b.ms - a.ms);
}

export const nameOf = ({ callFrame }: ProfileNode): string =>
  callFrame.functionName === "" ? "(anonymous)" : callFrame.functionName;

export type PlaceOf = (node: ProfileNode) => string;

/** Finds the source of a function of a bundle through the source map beside it. */
export function placesOf(bundle: string): PlaceOf {
  const payload = JSON.parse(readFileSync(`${bundle}.map`, "utf8")) as SourceMap["payload"];
  const map = new SourceMap(payload);
  return ({ callFrame }) => {
    if (callFrame.lineNumber < 0 || callFrame.url === "") return "";
    const entry = map.findEntry(callFrame.lineNumber, callFrame.columnNumber);
    if (!("originalSource" in entry)) return "";
    const path = relative(PROJECT, resolve(dirname(bundle), entry.originalSource));
    return `${path.replace("node_modules/", "")}:${entry.originalLine + 1}`;
  };
}

/** A table of the functions with the most time of their own, in percent of the time in which the thread was busy. */
export function selfTimeTable(functions: readonly SelfTime[], rows: number): readonly string[] {
  const busy = functions.filter(({ name }) => name !== "(idle)");
  const total = busy.reduce((sum, { ms }) => sum + ms, 0);
  return busy.slice(0, rows).map(({ name, place, ms }) => {
    const share = ((100 * ms) / total).toFixed(1).padStart(5);
    return `${share} %  ${ms.toFixed(0).padStart(6)} ms  ${name.padEnd(36)}  ${place}`;
  });
}
