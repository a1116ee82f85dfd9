import { err } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { Input } from "../../contract/commands.ts";
import type { CallbackSecretInput } from "../../contract/webhooks.ts";
import type { MusterError } from "../../protocol/errors.ts";
import { isPeerOwner } from "../../tasks/owner-key.ts";
import type { Before, CellCalls } from "./cell-calls.ts";

/** Work before commands that need a fact of the mesh which this cell may not have yet. */

/** A join key of a peer that is not listed: cell 0 counts its uses. */
export const redeemInCellZero: Before<"admit"> = (cell, input, actor) => {
  const { cells, allowlist, denylist } = cell.registry;
  const { joinKey, peerId, publicKey } = input;
  if (cells.own === 0 || joinKey === null) return null;
  if (allowlist.get(publicKey) !== null || denylist.has(peerId)) return null;
  return async () => {
    const redeemed = await cell.ask(0, cell.self, "redeem_join_key", { joinKey, peerId });
    return cell.runHere(actor, "admit", { ...input, redeemed });
  };
};

/** A token that is not known here may have been created a moment ago. */
export const learnToken: Before<"authenticate"> = (cell, { id }) =>
  cell.registry.cells.own === 0 || cell.registry.apiTokens.get(id) !== null
    ? null
    : learnFacts(cell);

/** The gateway knows a newer revision of the source than this cell. */
export const learnSource: Before<"receive_delivery"> = (
  cell,
  { source, sourceId, revision }: Input<"receive_delivery">,
) => {
  const known = cell.registry.webhookSources.get(source);
  const isKnown = known !== null && known.id === sourceId && known.revision >= revision;
  return cell.registry.cells.own === 0 || isKnown ? null : learnFacts(cell);
};

const learnFacts = (cell: CellCalls) => async () =>
  (await cell.refreshFacts()) ? null : err(NOT_LEARNED);

const NOT_LEARNED: MusterError = {
  code: "unavailable",
  detail: "cell 0 of the mesh does not answer, and this cell does not know the token or source yet",
  retryAfter: 2,
};

/** Secrets of callbacks are in cell 0, also those of peers, which it does not know. */
export const findCallbackOwner = (
  cell: CellCalls,
  { owner, visibleTo }: CallbackSecretInput,
  actor: string,
) => {
  const { cells } = cell.registry;
  const home = homeOf(cells.topology, owner);
  if (!isPeerOwner(owner) || home === cells.own) return null;
  // The command refuses this, whether there is such a peer or not.
  if (visibleTo !== null && visibleTo !== owner) return null;
  return async () => {
    const peer = await cell.ask(home, actor, "get_peer", { id: owner });
    return peer.ok ? null : peer;
  };
};
