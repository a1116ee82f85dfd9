import type { Millis } from "../../base/clock.ts";
import type { Role } from "../../protocol/messages.ts";
import type { Fetch } from "../http/api.ts";

export interface ControllerOptions {
  /** The mesh's base URL. */
  readonly url: string;
  /** A bearer token of the mesh; only `mesh()` works without. */
  readonly token?: string;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch;
}

export interface WaitOptions {
  /** How long to wait in all; default: until the task has ended. */
  readonly timeoutMs?: Millis;
  readonly signal?: AbortSignal;
}

export interface DialOptions {
  /** The only key (hex) taken there; default: the first that is proved there. */
  readonly publicKey?: string;
  /** For people. */
  readonly name?: string;
}

export interface AllowOptions {
  /** For people. */
  readonly label?: string;
  /** Roles that the peer may have; default: worker alone. */
  readonly roles?: readonly Role[];
  /** Lifts a revocation of this key. */
  readonly readmit?: boolean;
  /** Lets the key come by go-p2p 1.0 although it has spoken muster.2. */
  readonly go_p2p?: boolean;
}
