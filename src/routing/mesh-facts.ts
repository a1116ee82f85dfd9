import { SECOND, type Millis } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import { ok, type Result } from "../base/result.ts";
import { placeOfDelivery } from "../cells/placement.ts";
import { homeOf, liveCells } from "../cells/topology.ts";
import type { GatewayCommandName, Input, Output } from "../contract/commands.ts";
import type { WebhookSourceView } from "../protocol/http.ts";
import type { MusterError } from "../protocol/errors.ts";
import { TopologyChanged, type Network, type Route } from "./network.ts";

/**
 * Facts of the mesh: cell 0 has them and answers. What each cell counts for itself (uses of tokens, deliveries to sources) is added to its
 * answer, as far as the other cells answer in time.
 */

/** How long an answer waits for what other cells have counted. */
const COUNT_TIMEOUT: Millis = 2 * SECOND;

/** The tokens with their last use in any cell. Every cell has copies of all tokens, so each answers with the same page. */
export const listTokens: Route<"list_tokens"> = async (network, input) => {
  const [list, others] = await Promise.all([
    network.ask(0, "list_tokens", input),
    askOthers(network, "list_tokens", input),
  ]);
  if (!list.ok) return list;
  const uses = new Map<string, string>();
  for (const { tokens } of others)
    for (const { id, last_used_at: at } of tokens)
      if (at !== null && at > (uses.get(id) ?? "")) uses.set(id, at);
  const tokens = list.value.tokens.map((token) => {
    const at = uses.get(token.id);
    return at === undefined || (token.last_used_at ?? "") >= at
      ? token
      : { ...token, last_used_at: at };
  });
  return ok({ ...list.value, tokens });
};

/** The webhook sources with the deliveries to all cells. */
export const listWebhookSources: Route<"list_webhook_sources"> = async (network, input) => {
  const [list, others] = await Promise.all([
    network.ask(0, "list_webhook_sources", input),
    askOthers(network, "list_webhook_sources", input),
  ]);
  if (!list.ok) return list;
  const sources = list.value.sources.map((source) =>
    withDeliveries(
      source,
      others.flatMap((other) => other.sources.filter(isNamed(source.name))),
    ),
  );
  return ok({ sources });
};

/** The same of one source, for a command that answers with it. */
export const toSource =
  <K extends "get_webhook_source" | "put_webhook_source">(name: K): Route<K> =>
  async (network, input): Promise<Result<Output<K>, MusterError>> => {
    const source: Result<WebhookSourceView, MusterError> = await network.ask(0, name, input);
    if (!source.ok) return source;
    const others = await askOthers(network, "get_webhook_source", { name: input.name });
    return ok(withDeliveries(source.value, others));
  };

const isNamed =
  (name: string) =>
  (source: WebhookSourceView): boolean =>
    source.name === name;

const withDeliveries = (
  source: WebhookSourceView,
  others: readonly WebhookSourceView[],
): WebhookSourceView => ({
  ...source,
  deliveries: others.reduce((sum, { deliveries }) => sum + deliveries, source.deliveries),
});

/**
 * A delivery goes to the cell of its ID, so that a repetition finds the task of the first. A replay runs where the delivery is: since the
 * number of cells has changed, that can be another one.
 */
export const receiveDelivery: Route<"receive_delivery"> = async (network, input) => {
  const { topology, ask } = network;
  const home = homeOf(topology, placeOfDelivery(input.source, input.deliveryId));
  const received = await ask(home, "receive_delivery", input);
  if (input.replay === null) return received;
  let answer = received;
  for (const cell of liveCells(topology)) {
    if (answer.ok || answer.error.code !== "not_found") return answer;
    if (cell !== home) answer = await ask(cell, "receive_delivery", input);
  }
  return answer;
};

/** What the cells besides cell 0 answer in time. */
async function askOthers<K extends GatewayCommandName>(
  { topology, ask }: Network,
  name: K,
  input: Input<K>,
): Promise<readonly Output<K>[]> {
  const others = liveCells(topology).filter((cell) => cell !== 0);
  const answers = await Promise.all(
    others.map((cell) =>
      withDeadline(ask(cell, name, input), COUNT_TIMEOUT).catch((thrown: unknown) => {
        if (thrown instanceof TopologyChanged) throw thrown;
        return null;
      }),
    ),
  );
  return answers.flatMap((answer) => (answer?.ok ? [answer.value] : []));
}
