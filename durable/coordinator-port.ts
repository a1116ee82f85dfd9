import { err, type Result } from "../src/base/result.ts";
import type { GatewayActor, SessionActor } from "../src/contract/caller.ts";
import type {
  CommandName,
  GatewayCommandName,
  Input,
  Output,
  SessionAnswer,
  SessionCommand,
} from "../src/contract/commands.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { withDeadline } from "../src/base/deadline.ts";
import type { Env } from "./env.ts";

/** The coordinator as the gateway calls it. */
export interface GatewayPort {
  /** Runs one command. A coordinator that does not answer in time is an `unavailable` error; this never throws. */
  call<K extends GatewayCommandName>(
    name: K,
    input: Input<K>,
  ): Promise<Result<Output<K>, MusterError>>;
  /** Returns once the task has ended, or after `ms` milliseconds. */
  awaitTaskEnd(taskId: string, ms: number): Promise<void>;
}

/** Sends a session's command. Its actor is the session's peer, or the dial for `dial_failed`, whose peer may be unknown. */
export async function sendSessionCommand(
  env: Env,
  command: SessionCommand,
): Promise<SessionAnswer> {
  const actor: SessionActor =
    "peerId" in command.input ? `peer:${command.input.peerId}` : `dial:${command.input.dial.id}`;
  const result = await callCoordinator(env, actor, command.name, command.input);
  // The result belongs to the command: the type of `callCoordinator` can't tie the two for a union.
  return { ...command, result } as SessionAnswer;
}

export const coordinatorForGateway = (env: Env, actor: GatewayActor): GatewayPort => ({
  call: (name, input) => callCoordinator(env, actor, name, input),
  async awaitTaskEnd(taskId, ms) {
    await stubOf(env).awaitTaskEnd(RPC_VERSION, taskId, ms);
  },
});

/**
 * The only place that knows which object coordinates. One serves today; when several do (each owning a range of peer IDs),
 * this is what changes. The stub is made anew for each call: a stub that has thrown must not be used again.
 */
const stubOf = (env: Env) => env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));

async function callCoordinator<K extends CommandName>(
  env: Env,
  actor: SessionActor | GatewayActor,
  name: K,
  input: Input<K>,
): Promise<Result<Output<K>, MusterError>> {
  try {
    const answer = stubOf(env).execute(RPC_VERSION, actor, name, input);
    // The answer belongs to the command: the RPC's type can't say so.
    return await withDeadline(answer as Promise<Result<Output<K>, MusterError>>, CALL_TIMEOUT);
  } catch (thrown) {
    console.error("coordinator call failed", { name, error: String(thrown) });
    return err({
      code: "unavailable",
      detail: "the coordinator does not answer; try again",
      retryAfter: 2,
    });
  }
}

/** A command that ends sessions waits for their confirmation, which is itself bounded by `RPC_TIMEOUT`. */
const CALL_TIMEOUT = 2 * RPC_TIMEOUT;
