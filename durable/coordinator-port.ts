import { err, type Result } from "../src/base/result.ts";
import type { CommandName, Input, Output } from "../src/contract/commands.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { withDeadline } from "./deadline.ts";
import type { Env } from "./env.ts";

/** How everything else reaches the coordinator. */
export interface CoordinatorPort {
  /** Runs one command; a coordinator that can't be reached in time is an `unavailable` error, never a throw. */
  call<K extends CommandName>(name: K, input: Input<K>): Promise<Result<Output<K>, MusterError>>;
  /** Returns once the task has ended, or after `ms` milliseconds. */
  awaitTaskEnd(taskId: string, ms: number): Promise<void>;
}

/**
 * The only place that knows which object coordinates. One serves today; when several do (each owning a range of peer
 * IDs), this is what changes. `actor` is who the audit log names. The stub is made anew for each call: one that has thrown is not to be used again.
 */
export function coordinatorOf(env: Env, actor: string): CoordinatorPort {
  const stub = () => env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
  return {
    async call(name, input) {
      try {
        const answer = stub().execute(RPC_VERSION, actor, name, input);
        return await withDeadline(answer, RPC_TIMEOUT + END_CONFIRMATION);
      } catch (thrown) {
        console.error("coordinator call failed", { name, error: String(thrown) });
        return err({
          code: "unavailable",
          detail: "the coordinator does not answer; try again",
          retryAfter: 2,
        });
      }
    },
    async awaitTaskEnd(taskId, ms) {
      await stub().awaitTaskEnd(RPC_VERSION, taskId, ms);
    },
  };
}

/** Commands that end sessions wait for their confirmation, itself bounded by `RPC_TIMEOUT`. */
const END_CONFIRMATION = RPC_TIMEOUT;
