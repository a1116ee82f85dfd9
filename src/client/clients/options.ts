import type { Millis } from "../../base/clock.ts";
import type { Fetch } from "../http/api.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

/** How `controller` reaches a mesh. */
export interface ControllerOptions {
  /** The mesh's base URL, or its `muster://` link, whose key is then pinned. */
  readonly url: string;
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
}

export const CONTROLLER_OPTIONS: OptionNames<ControllerOptions> = {
  url: true,
  token: true,
  meshKey: true,
  nextMeshKey: true,
  fetch: true,
};

export interface WaitOptions {
  /** Total time to wait, in milliseconds; default: no limit. */
  readonly timeoutMs?: Millis;
  /** Ends the wait early: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export const WAIT_OPTIONS: OptionNames<WaitOptions> = { timeoutMs: true, signal: true };

export interface RevokeOptions {
  /** Leaves the tasks that the owner caused, and their callbacks. Default false: they are cancelled, also those that peers run. */
  readonly keepTasks?: boolean;
}

const REVOKE_OPTIONS: OptionNames<RevokeOptions> = { keepTasks: true };

/** Throws an `OptionsError` that names `method` if an option does not exist. */
export function keepTasksQuery(method: string, options: RevokeOptions) {
  refuseUnknownOptions(method, options, REVOKE_OPTIONS);
  return { keep_tasks: options.keepTasks === true ? "true" : undefined };
}
