import { withDeadline } from "../base/deadline.ts";
import type { Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { liveCells } from "../cells/topology.ts";
import type { GatewayCommandName, Input, Output } from "../contract/commands.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { Network, Route } from "./network.ts";

/** What the live cells have answered, in the order of their numbers. */
export interface Gathered<T> {
  readonly answers: readonly { readonly cell: number; readonly value: T }[];
  /** The cells that do not answer. */
  readonly missing: readonly number[];
}

/**
 * Asks every live cell. One that does not answer is missing; any other error is the error of all. Without any answer the first cell's error
 * is the answer.
 *
 * @param inputOf the input for each cell
 * @param within how long a cell may take; without it, as long as for any other call
 */
export async function askEveryCell<K extends GatewayCommandName>(
  network: Network,
  name: K,
  inputOf: (cell: number) => Input<K>,
  within?: Millis,
): Promise<Result<Gathered<Output<K>>, MusterError>> {
  const cells = liveCells(network.topology);
  const answered = await Promise.all(
    cells.map(async (cell) => ({
      cell,
      answer: await askInTime(network, cell, name, inputOf(cell), within),
    })),
  );
  const answers: { cell: number; value: Output<K> }[] = [];
  const missing: number[] = [];
  let first: MusterError | null = null;
  for (const { cell, answer } of answered) {
    if (answer.ok) answers.push({ cell, value: answer.value });
    else if (answer.error.code !== "unavailable") return answer;
    else missing.push(cell);
    if (!answer.ok) first ??= answer.error;
  }
  return answers.length === 0 && first !== null ? err(first) : ok({ answers, missing });
}

/** Every live cell, asked for the same. `merge` makes one answer of theirs. */
export const toEvery =
  <K extends GatewayCommandName>(
    name: K,
    merge: (gathered: Gathered<Output<K>>, network: Network) => Output<K>,
    within?: Millis,
  ): Route<K> =>
  async (network, input) => {
    const gathered = await askEveryCell(network, name, () => input, within);
    return gathered.ok ? ok(merge(gathered.value, network)) : gathered;
  };

/** `missing_cells` of an answer; absent when it is complete. */
export const missingCells = (missing: readonly number[]): { readonly missing_cells?: number[] } =>
  missing.length === 0 ? {} : { missing_cells: [...missing] };

/** Asks one cell. An answer that is not in time is an `unavailable` error. */
export const askInTime = <K extends GatewayCommandName>(
  { ask }: Network,
  cell: number,
  name: K,
  input: Input<K>,
  within?: Millis,
): Promise<Result<Output<K>, MusterError>> => {
  const asked = ask(cell, name, input);
  return within === undefined ? asked : inTime(cell, asked, within);
};

/** The answer of a cell that is in time. A changed topology is thrown on. */
async function inTime<T>(
  cell: number,
  asked: Promise<Result<T, MusterError>>,
  within: Millis,
): Promise<Result<T, MusterError>> {
  const late = { isLate: true } as const;
  const first = await withDeadline(
    asked.then(
      (answer) => ({ answer }),
      (thrown: unknown) => ({ thrown }),
    ),
    within,
  ).catch(() => late);
  if ("answer" in first) return first.answer;
  if ("thrown" in first) throw first.thrown;
  return err({
    code: "unavailable",
    detail: `cell ${cell} of the mesh does not answer within ${within} ms; try again`,
    retryAfter: 2,
  });
}
