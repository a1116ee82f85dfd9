import { err, type Result } from "../base/result.ts";
import { homeOf, liveCells } from "../cells/topology.ts";
import type { GatewayCommandName, Input, Output } from "../contract/commands.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { Network, Route } from "./network.ts";

/**
 * The home of a peer; if it does not know the peer, any cell that does: a peer that has never connected is known to the cells of the peers
 * that advertise it.
 */
export const toHomeOrAny =
  <K extends GatewayCommandName>(name: K, keyOf: (input: Input<K>) => string): Route<K> =>
  async (network, input) => {
    const home = homeOf(network.topology, keyOf(input));
    const answer = await network.ask(home, name, input);
    if (answer.ok || answer.error.code !== "not_found") return answer;
    const others = liveCells(network.topology).filter((cell) => cell !== home);
    return firstThatHas(network, others, { name, input, otherwise: answer.error });
  };

/** Whichever cell has it. */
export const toOwner =
  <K extends GatewayCommandName>(name: K): Route<K> =>
  (network, input) =>
    firstThatHas(network, liveCells(network.topology), { name, input, otherwise: null });

/** The answer of the first cell that has it. Without one, a cell that does not answer may have it. */
async function firstThatHas<K extends GatewayCommandName>(
  network: Network,
  cells: readonly number[],
  {
    name,
    input,
    otherwise,
  }: { readonly name: K; readonly input: Input<K>; readonly otherwise: MusterError | null },
): Promise<Result<Output<K>, MusterError>> {
  const answers = await Promise.all(cells.map((cell) => network.ask(cell, name, input)));
  const found = answers.find(({ ok }) => ok);
  if (found !== undefined) return found;
  const errors = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
  const other = errors.find(({ code }) => code !== "not_found") ?? otherwise ?? errors[0];
  return err(other ?? { code: "not_found", detail: "no cell of the mesh has it" });
}
