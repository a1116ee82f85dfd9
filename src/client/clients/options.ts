import type { Millis } from "../../base/clock.ts";
import { OptionsError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { OUTAGE_DEFAULT } from "../timings.ts";

/** How `controller` reaches a mesh. */
export interface ControllerOptions {
  /** The mesh's base URL, or its `muster://` link, whose key is then pinned. */
  readonly url: string | URL;
  /** An API token of the mesh. Without a token only `settings.mesh()` works. */
  readonly token?: string;
  /**
   * Pins the mesh's public key: results are accepted, and contained in tasks, only with the mesh's signature, whoever ends TLS.
   * Without it nothing but TLS says that they are the mesh's.
   */
  readonly meshKey?: string | Uint8Array;
  /** The key that the mesh has announced as its next, accepted when the mesh has replaced `meshKey`. */
  readonly nextMeshKey?: string | Uint8Array;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch;
  /** See `WaitOptions`: the default of `wait`, `follow` and `run`. */
  readonly outageMs?: Millis;
  /**
   * Called when cells of the mesh do not answer (docs/scale.md), with their numbers: the answer of the call lacks what they have, or the act has not
   * reached them. The call itself goes on.
   */
  readonly onMissingCells?: (cells: readonly number[]) => void;
}

export const CONTROLLER_OPTIONS: OptionNames<ControllerOptions> = {
  url: "url!",
  token: "string",
  meshKey: "bytes",
  nextMeshKey: "bytes",
  fetch: "function",
  outageMs: "number",
  onMissingCells: "function",
};

export interface WaitOptions {
  /** Total time to wait, in milliseconds; default: no limit. */
  readonly timeoutMs?: Millis;
  /** Ends the wait early: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * How long the call goes on while the mesh gives no answer, as during a restart or a deploy, in milliseconds; default: 60,000. After
   * that it throws `MusterApiError` (`unreachable`, with the task's ID): the task goes on. 0 gives up after a few retries.
   */
  readonly outageMs?: Millis;
}

export const WAIT_OPTIONS: OptionNames<WaitOptions> = {
  timeoutMs: "number",
  signal: "signal",
  outageMs: "number",
};

/** How long a call goes on without an answer; throws an `OptionsError` if that is no time. */
export function outageOf(given: Millis | undefined, otherwise: Millis = OUTAGE_DEFAULT): Millis {
  const outageMs = given === undefined ? otherwise : given;
  if (typeof outageMs === "number" && outageMs >= 0) return outageMs;
  throw new OptionsError(
    `outageMs is a number of milliseconds, 0 or more; not ${String(outageMs).slice(0, 80)}`,
  );
}

export interface RevokeOptions {
  /** Leaves the tasks that the owner caused, and their callbacks. Default false: they are cancelled, also those that peers run. */
  readonly keepTasks?: boolean;
}

const REVOKE_OPTIONS: OptionNames<RevokeOptions> = { keepTasks: "boolean" };

/** Throws an `OptionsError` that names `method` if an option does not exist. */
export function keepTasksQuery(method: string, options: RevokeOptions) {
  refuseUnknownOptions(method, options, REVOKE_OPTIONS);
  return { keep_tasks: options.keepTasks === true ? "true" : undefined };
}
