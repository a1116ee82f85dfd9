import { ok } from "../base/result.ts";
import type { GatewayCommandName, Input, Output } from "../contract/commands.ts";
import { OWNER_BYTES_SHOWN, RPC_TIMEOUT } from "../protocol/constants.ts";
import type { StorageView } from "../protocol/http.ts";
import { askEveryCell, missingCells } from "./every-cell.ts";
import type { Network, Route } from "./network.ts";

/** One answer made of those of all cells that answer. It says which do not. */
export const toSum =
  <K extends GatewayCommandName>(
    name: K,
    sum: (answers: readonly Output<K>[], input: Input<K>, network: Network) => Output<K>,
  ): Route<K> =>
  async (network, input) => {
    const asked = await askEveryCell(network, name, () => input, RPC_TIMEOUT);
    if (!asked.ok) return asked;
    const { answers, missing } = asked.value;
    const values = answers.map(({ value }) => value);
    return ok({ ...sum(values, input, network), ...missingCells(missing) } as Output<K>);
  };

/** Sessions are ended in all cells at once. What one cell refuses is the answer; the others have ended theirs. */
export const toAllSessions: Route<"drain_mesh"> = async (network, input) => {
  const asked = await askEveryCell(network, "drain_mesh", () => input);
  if (!asked.ok) return asked;
  const { answers, missing } = asked.value;
  return ok({
    ended: sumOf(answers.map(({ value }) => value.ended)),
    remaining: sumOf(answers.map(({ value }) => value.remaining)),
    ...missingCells(missing),
  });
};

export const sumOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0);

/** The allowlist is in the order of a single cell's: by the time of the entry. The mode is the same in all cells. */
export const allAllowed = (answers: readonly Output<"list_allowed">[]): Output<"list_allowed"> => ({
  mode: answers[0]?.mode ?? "allowlist",
  entries: distinct(
    answers.flatMap(({ entries }) => entries),
    ({ public_key: key }) => key,
  ).toSorted(
    (a, b) => compareText(a.added_at, b.added_at) || compareText(a.public_key, b.public_key),
  ),
});

/** The first of those that have the same key: what moves to another cell may be shown by two. */
export function distinct<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const seen = new Map<string, T>();
  for (const item of items) if (!seen.has(keyOf(item))) seen.set(keyOf(item), item);
  return [...seen.values()];
}

export const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

const STATES = ["ok", "making_room", "full"] as const satisfies readonly StorageView["state"][];

/** Each cell has a database of its own, with limits of its own. The state is the worst one: a full cell accepts no task. */
export function allStorage(answers: readonly StorageView[]): StorageView {
  const sum = (
    member: "used_bytes" | "limit_bytes" | "removes_above_bytes" | "accepts_up_to_bytes",
  ) => sumOf(answers.map((answer) => answer[member]));
  const worst = Math.max(...answers.map(({ state }) => STATES.indexOf(state)));
  const owners = new Map<string, StorageView["owners"][number]>();
  for (const one of answers.flatMap((answer) => answer.owners)) {
    const bytes = (owners.get(one.owner)?.bytes ?? 0) + one.bytes;
    owners.set(one.owner, { ...one, bytes });
  }
  return {
    used_bytes: sum("used_bytes"),
    limit_bytes: sum("limit_bytes"),
    removes_above_bytes: sum("removes_above_bytes"),
    accepts_up_to_bytes: sum("accepts_up_to_bytes"),
    state: STATES[worst] ?? "ok",
    payload_retention_hours: Math.max(
      ...answers.map(({ payload_retention_hours: hours }) => hours),
    ),
    owners: [...owners.values()].toSorted((a, b) => b.bytes - a.bytes).slice(0, OWNER_BYTES_SHOWN),
  };
}
