import type { Millis } from "../base/clock.ts";
import type { Output } from "../contract/commands.ts";
import type { FailuresView, TaskStats } from "../protocol/http.ts";
import {
  FAILURE_GROUPS_SHOWN,
  FAILURE_ITEMS_SHOWN,
  STATS_ROWS_MAX,
} from "../protocol/task-limits.ts";
import type { Route } from "./network.ts";
import { compareText, sumOf, toSum } from "./sums.ts";

interface Counts {
  readonly waiting: number;
  readonly running: number;
  readonly oldest_wait_seconds: number | null;
}

/** The queue of all cells. Each has a queue of its own, so the limits of the queues are added; those of a kind and of an owner hold in the mesh. */
export function allTaskStats(answers: readonly TaskStats[]): TaskStats {
  const kinds = groupsOf(
    answers.flatMap((answer) => answer.kinds),
    ({ kind }) => kind,
  ).map((group) => ({ ...firstOf(group), ...countsOf(group) }));
  const owners = groupsOf(
    answers.flatMap((answer) => answer.owners),
    ({ owner }) => owner,
  ).map((group) => ({
    ...firstOf(group),
    ...countsOf(group),
    label: group.map(({ label }) => label).find((label) => label !== null) ?? null,
    bytes: sumOf(group.map(({ bytes }) => bytes)),
  }));
  return {
    ...countsOf(answers),
    queue_max: sumOf(answers.map(({ queue_max: max }) => max)),
    kinds: largest(kinds),
    owners: largest(owners),
    truncated:
      answers.some(({ truncated }) => truncated) ||
      Math.max(kinds.length, owners.length) > STATS_ROWS_MAX,
  };
}

const countsOf = (counts: readonly Counts[]): Counts => ({
  waiting: sumOf(counts.map(({ waiting }) => waiting)),
  running: sumOf(counts.map(({ running }) => running)),
  oldest_wait_seconds: counts
    .map(({ oldest_wait_seconds: oldest }) => oldest)
    .reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.max(a, b)), null),
});

const largest = <T extends Counts>(rows: readonly T[]): T[] =>
  rows.toSorted((a, b) => b.waiting + b.running - a.waiting - a.running).slice(0, STATS_ROWS_MAX);

/** A group of one cell, with when each of its shown tasks ended. */
type Group = FailuresView["groups"][number] & { readonly times: readonly Millis[] };

/** The failures of all cells, which say when each of the shown tasks ended. */
export const toFailures: Route<"list_failures"> = (network, input) =>
  toSum("list_failures", allFailures)(network, { ...input, withTimes: true });

/**
 * The failures of all cells. A cell shows its largest groups: with more than those, a count may lack the tasks of a cell in which a group is
 * small, and the number of groups is at least this one.
 */
function allFailures(answers: readonly Output<"list_failures">[]): FailuresView {
  const groups = groupsOf(
    answers.flatMap(({ groups: parts, times = [] }) =>
      parts.map((part, at): Group => ({ ...part, times: times[at] ?? [] })),
    ),
    ({ kind, state, reason }) => JSON.stringify([kind, state, reason]),
  ).map(failuresOf);
  return {
    groups: groups
      .toSorted((a, b) => b.count - a.count || compareText(b.last_at, a.last_at))
      .slice(0, FAILURE_GROUPS_SHOWN),
    count: sumOf(answers.map(({ count }) => count)),
    group_count: Math.max(groups.length, ...answers.map(({ group_count: count }) => count)),
    complete: answers.every(({ complete }) => complete),
  };
}

/** One group of all cells. */
function failuresOf(parts: readonly Group[]): FailuresView["groups"][number] {
  const newestFirst = parts.toSorted((a, b) => compareText(b.last_at, a.last_at));
  const peers = groupsOf(
    parts.flatMap((part) => part.peers),
    ({ peer_id: id }) => id,
  ).map((group) => ({
    peer_id: firstOf(group).peer_id,
    count: sumOf(group.map(({ count }) => count)),
  }));
  const { times: _, ...newest } = firstOf(newestFirst);
  return {
    ...newest,
    count: sumOf(parts.map(({ count }) => count)),
    first_at: firstOf(parts.map(({ first_at: at }) => at).toSorted(compareText)),
    task_ids: newestTasks(parts),
    peers: peers.toSorted((a, b) => b.count - a.count).slice(0, FAILURE_ITEMS_SHOWN),
    peer_count: sumOf(parts.map(({ peer_count: count }) => count)),
  };
}

const newestTasks = (parts: readonly Group[]): string[] =>
  parts
    .flatMap(({ task_ids: ids, times }) => ids.map((id, at) => ({ id, endedAt: times[at] ?? 0 })))
    .toSorted((a, b) => b.endedAt - a.endedAt)
    .slice(0, FAILURE_ITEMS_SHOWN)
    .map(({ id }) => id);

/** The items that have the same key, in the order of the first of each. */
function groupsOf<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** The first of a group, which has at least one item. */
const firstOf = <T>(group: readonly T[]): T => group[0] as T;
