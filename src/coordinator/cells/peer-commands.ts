import { fromHex } from "../../base/bytes.ts";
import { placeOfKey } from "../../cells/placement.ts";
import { homeOf } from "../../cells/topology.ts";
import type { CommandName, Input } from "../../contract/commands.ts";
import { peerIdOf } from "../../crypto/identity.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { BATCH_MAX } from "../../protocol/task-limits.ts";
import type { Remembered } from "../../registry/idempotency.ts";
import type { Context } from "../kernel/context.ts";
import { batchItemKey } from "../tasks/submit.ts";
import { isElsewhere } from "../webhooks/receive-delivery.ts";

type PeersOf = { readonly [K in CommandName]?: (input: Input<K>) => PeerId };

const ofSession = ({ peerId }: { readonly peerId: PeerId }): PeerId => peerId;
const ofId = ({ id }: { readonly id: PeerId }): PeerId => id;

/** The commands of callers that concern one peer, and whom. */
const PEERS: PeersOf = {
  admit: ofSession,
  observe: ofSession,
  gone: ofSession,
  announce: ofSession,
  rotate_peer: ofSession,
  report_rtts: ofSession,
  hear_advert: ofSession,
  peer_drains: ofSession,
  accept_task: ofSession,
  refuse_task: ofSession,
  release_task: ofSession,
  progress_task: ofSession,
  finish_task: ofSession,
  assign_task: ofSession,
  query_task: ofSession,
  recall_task: ofSession,
  retry_own_task: ofSession,
  read_own_result: ofSession,
  revoke_peer: ofId,
  lift_denial: ofId,
  forget_peer: ofId,
  allow: ofSession,
  disallow: ({ publicKey }) => peerIdOf(fromHex(publicKey) ?? new Uint8Array()),
  get_peer: ofId,
  get_score: ofId,
  get_rtt: ofId,
  schedule_peer: ofId,
  reset_circuits: ofId,
  request_peer: ofId,
};

/** The peer that a command concerns; null if it concerns none. */
export function peerOfCommand<K extends CommandName>(name: K, input: Input<K>): PeerId | null {
  const peerOf: PeersOf[K] = PEERS[name];
  return peerOf === undefined ? null : peerOf(input);
}

/** An idempotency key of a command. */
export interface SubmittedKey {
  readonly scope: string;
  readonly key: string;
  readonly isBatch: boolean;
}

/** The idempotency key under which a caller of the HTTP API submits; null without one. */
export function keyOfCommand<K extends CommandName>(name: K, input: Input<K>): SubmittedKey | null {
  if (name !== "submit_task" && name !== "enqueue_task" && name !== "submit_batch") return null;
  const { idempotency } = input as Input<"submit_task" | "submit_batch">;
  return idempotency === null ? null : { ...idempotency, isBatch: name === "submit_batch" };
}

/** What a key has made in this cell, unless that was deleted; null if nothing. Of a batch this is its first task. */
export function madeBy(
  { registry, now }: Pick<Context, "registry" | "now">,
  { scope, key, isBatch }: SubmittedKey,
): Remembered | null {
  const { idempotency, tasks, taskForwards } = registry;
  const items = isBatch
    ? Array.from({ length: BATCH_MAX }, (_, index) => batchItemKey({ scope, key }, index))
    : [{ scope, key }];
  for (const item of items) {
    const made = idempotency.get(item.scope, item.key, now);
    const isKept = made !== null && tasks.get(made.taskId) !== null;
    if (made !== null && (isKept || taskForwards.get(made.taskId) !== null)) return made;
  }
  return null;
}

/**
 * Why this cell does not run a command although it has arrived here; null if it does. A peer whose home is another cell is handled here
 * while it holds tasks of this cell; a key whose home is another one while it has made something here. Asked inside the transaction: the
 * topology may have changed since the command arrived.
 */
export function placeFault<K extends CommandName>(
  context: Context,
  name: K,
  input: Input<K>,
): MusterError | null {
  const { cells, tasks, peers } = context.registry;
  if (cells.isSingle) return null;
  const peerId = peerOfCommand(name, input);
  if (peerId !== null) {
    const isHere = homeOf(cells.topology, peerId) === cells.own || tasks.heldBy(peerId).length > 0;
    // Where the peer has no record it may have been advertised.
    return isHere || (OF_ADVERTISED.has(name) && peers.get(peerId) === null) ? null : MISPLACED;
  }
  if (name === "receive_delivery")
    return isElsewhere(context, input as Input<"receive_delivery">) ? MISPLACED : null;
  const key = keyOfCommand(name, input);
  if (key === null || homeOf(cells.topology, placeOfKey(key.scope, key.key)) === cells.own)
    return null;
  return madeBy(context, key) === null ? MISPLACED : null;
}

/** The commands that also concern a peer which was only advertised: what is heard of it is in the cell of whoever advertises it. */
const OF_ADVERTISED: ReadonlySet<CommandName> = new Set<CommandName>(["get_peer", "forget_peer"]);

/** Another cell has to run the command. */
export const MISPLACED: MusterError = {
  code: "unavailable",
  detail: "what this concerns moves to another cell of the mesh; try again",
  retryAfter: 1,
};

export const isMisplaced = (error: MusterError): boolean => error.detail === MISPLACED.detail;
