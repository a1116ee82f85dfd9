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
export const selfTimes = (profile: CpuProfile, placeOf: PlaceOf): readonly SelfTime[] =>
  timesBy(profile, placeOf, (stack) => stack.at(-1));

/**
 * The functions of this project by their own time and that of all they call outside it: in dependencies, V8 and workerd.
 * So the time of a statement belongs to the function that runs it.
 */
export const ownTimes = (profile: CpuProfile, placeOf: PlaceOf): readonly SelfTime[] =>
  timesBy(
    profile,
    placeOf,
    (stack) => stack.findLast(({ place }) => OWN.test(place)) ?? stack.at(1),
  );

/** Code of this project, without the wrappers that every statement passes. */
const OWN = /^(src|durable|workers)\/(?!durable-sql|registry\/table-changes)/;

type Call = Omit<SelfTime, "ms">;

/** Sums the time of each stack for one of its functions; the first function of a stack is the root of the profile. */
function timesBy(
  profile: CpuProfile,
  placeOf: PlaceOf,
  pick: (stack: readonly Call[]) => Call | undefined,
): readonly SelfTime[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const times = nodeTimes(profile);
  const found = new Map<string, { name: string; place: string; ms: number }>();
  const visit = (node: ProfileNode, callers: readonly Call[]): void => {
    const stack = [...callers, { name: nameOf(node), place: placeOf(node) }];
    const { name, place } = pick(stack) ?? { name: "(root)", place: "" };
    const key = `${name} ${place}`;
    const entry = found.get(key) ?? { name, place, ms: 0 };
    entry.ms += (times.get(node.id) ?? 0) / 1_000;
    found.set(key, entry);
    for (const id of node.children ?? []) {
      const child = nodes.get(id);
      if (child !== undefined) visit(child, stack);
    }
  };
  const [root] = profile.nodes;
  if (root !== undefined) visit(root, []);
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
    const { scriptId, lineNumber, columnNumber } = callFrame;
    // The start of the bundle is the place of native functions that workerd has installed.
    const isNative = scriptId === "0" || lineNumber < 0 || lineNumber + columnNumber === 0;
    if (isNative) return "";
    const entry = map.findEntry(lineNumber, columnNumber);
    if (!("originalSource" in entry)) return "";
    const path = relative(PROJECT, resolve(dirname(bundle), entry.originalSource));
    return `${path.replace("node_modules/", "")}:${entry.originalLine + 1}`;
  };
}

/** A table of the functions with the most time, in percent of the time in which the thread was busy. */
export function timeTable(functions: readonly SelfTime[], rows: number): readonly string[] {
  const busy = functions.filter(({ name }) => name !== "(idle)");
  const total = busy.reduce((sum, { ms }) => sum + ms, 0);
  return busy.slice(0, rows).map(({ name, place, ms }) => {
    const share = ((100 * ms) / total).toFixed(1).padStart(5);
    return `${share} %  ${ms.toFixed(0).padStart(6)} ms  ${name.padEnd(36)}  ${place}`;
  });
}
