import { err, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import {
  acceptTask,
  cancelTask,
  finishTask,
  offerFailed,
  progressTask,
  refuseTask,
} from "../tasks/attempts.ts";
import { listAudit, record } from "../access/audit.ts";
import { callbackAnswered, claimCallback, repeatCallback } from "../webhooks/callback-attempts.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { Context } from "./context.ts";
import { dialFailed, dialPeer, listDials, removeDial } from "../dialing/dial-commands.ts";
import type { Effect } from "./effects.ts";
import { hearAdvert } from "../peers/gossip.ts";
import { getScore, whyTask } from "../tasks/explanations.ts";
import type { Handler } from "./handler.ts";
import {
  allow,
  disallow,
  forgetPeer,
  getAuthMode,
  listAllowed,
  revokePeer,
  setAuthMode,
} from "../admission/membership.ts";
import { listPointers, readDiscovery } from "../discovery/pointers.ts";
import { preparePublication, published } from "../discovery/publication.ts";
import { blobDeleted, outboxFailed, probed, sessionEnded } from "./outbox.ts";
import { discoveryKeys } from "../discovery/discovery-keys.ts";
import { getPeer, listPeers, listTasks, requestPeer } from "../peers/queries.ts";
import { getRtt, reportRtts } from "../peers/rtts.ts";
import { assignTask, queryTask, recallTask } from "../tasks/session-tasks.ts";
import { beginResult, commitResult, readResult, resultDeleted } from "../tasks/results.ts";
import { admit, announce, gone, observe } from "../admission/sessions.ts";
import { getTask, submitBatch, submitTask } from "../tasks/submit.ts";
import {
  blobsCopied,
  copyDropped,
  prepareReplication,
  replicated,
} from "../discovery/replication.ts";
import { rotatePeer } from "../admission/rotation.ts";
import { createJoinKey, listJoinKeys, revokeJoinKey } from "../access/join-keys.ts";
import { authenticate, createToken, listTokens, revokeToken } from "../access/tokens.ts";
import { tick } from "./tick.ts";
import { listDeliveries, openDelivery, takeDelivery } from "../webhooks/delivery-log.ts";
import {
  getWebhookSource,
  listWebhookSources,
  openWebhookSource,
  putWebhookSource,
  removeWebhookSource,
} from "../webhooks/sources.ts";

const HANDLERS: { readonly [K in CommandName]: Handler<K> } = {
  admit,
  observe,
  announce,
  gone,
  hear_advert: hearAdvert,
  accept_task: acceptTask,
  refuse_task: refuseTask,
  progress_task: progressTask,
  finish_task: finishTask,
  assign_task: assignTask,
  query_task: queryTask,
  recall_task: recallTask,
  begin_result: beginResult,
  commit_result: commitResult,
  read_result: readResult,
  submit_task: submitTask,
  submit_batch: submitBatch,
  get_task: getTask,
  list_tasks: listTasks,
  cancel_task: cancelTask,
  why_task: whyTask,
  get_peer: getPeer,
  get_score: getScore,
  list_peers: listPeers,
  request_peer: requestPeer,
  revoke_peer: revokePeer,
  forget_peer: forgetPeer,
  dial_peer: dialPeer,
  dial_failed: dialFailed,
  list_dials: listDials,
  remove_dial: removeDial,
  get_auth_mode: getAuthMode,
  set_auth_mode: setAuthMode,
  list_allowed: listAllowed,
  allow,
  disallow,
  put_webhook_source: putWebhookSource,
  get_webhook_source: getWebhookSource,
  open_webhook_source: openWebhookSource,
  list_webhook_sources: listWebhookSources,
  take_delivery: takeDelivery,
  list_deliveries: listDeliveries,
  open_delivery: openDelivery,
  remove_webhook_source: removeWebhookSource,
  list_pointers: listPointers,
  read_discovery: readDiscovery,
  offer_failed: offerFailed,
  session_ended: sessionEnded,
  probed,
  discovery_keys: discoveryKeys,
  prepare_replication: prepareReplication,
  blobs_copied: blobsCopied,
  replicated,
  copy_dropped: copyDropped,
  prepare_publication: preparePublication,
  published,
  rotate_peer: rotatePeer,
  report_rtts: reportRtts,
  get_rtt: getRtt,
  create_token: createToken,
  list_tokens: listTokens,
  revoke_token: revokeToken,
  authenticate,
  create_join_key: createJoinKey,
  list_join_keys: listJoinKeys,
  revoke_join_key: revokeJoinKey,
  list_audit: listAudit,
  outbox_failed: outboxFailed,
  claim_callback: claimCallback,
  callback_answered: callbackAnswered,
  repeat_callback: repeatCallback,
  blob_deleted: blobDeleted,
  result_deleted: resultDeleted,
  tick,
};

export interface Executed<K extends CommandName> {
  readonly result: Result<Output<K>, MusterError>;
  /** To be performed now that the command has committed; none when it failed. */
  readonly effects: readonly Effect[];
}

/** Runs one command in one transaction: all of it holds, or none of it and an error is returned. */
export function execute<K extends CommandName>(
  context: Omit<Context, "effects">,
  name: K,
  input: Input<K>,
): Executed<K> {
  const effects: Effect[] = [];
  const handler: Handler<K> = HANDLERS[name];
  try {
    const result = context.registry.transaction(() => {
      const decided = handler({ ...context, effects }, input);
      if (!decided.ok) throw new Rollback(decided.error);
      record(context, name, input, decided);
      return decided;
    });
    return { result, effects };
  } catch (thrown) {
    if (!(thrown instanceof Rollback)) throw thrown;
    const result = err(thrown.error);
    // A refusal is on record as well, although nothing else of it is.
    context.registry.transaction(() => record(context, name, input, result));
    return { result, effects: [] };
  }
}

/** Carries an expected error out of the transaction, so that the database undoes what the handler wrote. */
class Rollback extends Error {
  readonly error: MusterError;
  constructor(error: MusterError) {
    super(error.code);
    this.error = error;
  }
}
