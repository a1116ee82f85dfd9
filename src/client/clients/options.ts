import type { Millis } from "../../base/clock.ts";
import type { Fetch } from "../http/api.ts";

/** How `controller` reaches a mesh. */
export interface ControllerOptions {
  /** The mesh's base URL. */
  readonly url: string;
  /** An API token of the mesh. Without a token only `settings.mesh()` works. */
  readonly token?: string;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch;
}

export interface WaitOptions {
  /** Total time to wait, in milliseconds; default: no limit. */
  readonly timeoutMs?: Millis;
  /** Ends the wait early: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}
