import { fromHex, toBase64, utf8, type Bytes } from "../src/base/bytes.ts";
import { NULL_JSON, textOfJson } from "../src/base/json-text/json-text.ts";
import { SECOND } from "../src/base/clock.ts";
import { faultOf } from "../src/base/log/log-events.ts";
import type { Input, SessionCommand } from "../src/contract/commands.ts";
import { resultKey } from "../src/coordinator/tasks/results.ts";
import { platformRandom, sha256 } from "../src/crypto/primitives.ts";
import { RESULT_RETENTION, TASK_RESULT_BYTES_MAX } from "../src/protocol/constants.ts";
import { sealResult } from "../src/stmf/task-result.ts";
import { coordinatorForGateway } from "./coordinator-port.ts";
import type { Env } from "./env.ts";
import { log } from "./worker-log.ts";

type Finish = Extract<SessionCommand, { readonly name: "finish_task" }>;

/**
 * Stores the result of a peer that can't upload (`forPeer`), if it is too large for a task, as an upload of the peer would be stored.
 * Returns the command that commits it. What fails here is not the peer's fault: then it is the command that gives the attempt up.
 */
export async function withStoredResult(env: Env, command: SessionCommand): Promise<SessionCommand> {
  if (command.name !== "finish_task" || command.input.forPeer !== true) return command;
  const { outcome } = command.input;
  if (!outcome.ok || outcome.uploaded !== undefined) return command;
  const json = utf8(textOfJson(outcome.result));
  if (json.length <= TASK_RESULT_BYTES_MAX) return command;
  try {
    return await store(env, command, json);
  } catch (thrown) {
    const { peerId: peer } = command.input;
    log.write("result.not_stored", { peer, task: outcome.task_id, ...faultOf(thrown) });
    return released(command.input, "the mesh could not store the result; the store is unavailable");
  }
}

async function store(env: Env, { name, input }: Finish, json: Bytes): Promise<SessionCommand> {
  const { peerId, outcome } = input;
  const attempt = { peerId, taskId: outcome.task_id, fence: outcome.fence };
  const coordinator = coordinatorForGateway(env, "anonymous");
  const begun = await coordinator.call("begin_result", attempt);
  if (!begun.ok) return released(input, begun.error.detail);
  const { blobId, sealTo } = begun.value;
  const body = sealTo === null ? json : sealResult(json, fromHex(sealTo) as Bytes, platformRandom);
  if (body === null) return released(input, "the result can't be sealed to the key of the task");
  const content = { bytes: body.length, sha256: toBase64(sha256(body)) };
  await env.BLOBS.put(resultKey(blobId), body, { expirationTtl: RESULT_RETENTION / SECOND });
  const stored = await coordinator.call("result_uploaded", { ...attempt, blobId, ...content });
  if (!stored.ok) return released(input, stored.error.detail);
  const committed = {
    ...attemptOf(input),
    ok: true,
    result: NULL_JSON,
    uploaded: content,
  } as const;
  return { name, input: { ...input, outcome: { ...committed, sealed: sealTo !== null } } };
}

const attemptOf = ({ outcome: { task_id, fence } }: Finish["input"]) => ({ task_id, fence });

const released = (
  { peerId, epoch, outcome }: Input<"finish_task">,
  reason: string,
): SessionCommand => ({
  name: "release_task",
  input: { peerId, epoch, taskId: outcome.task_id, fence: outcome.fence, reason, begun: true },
});
