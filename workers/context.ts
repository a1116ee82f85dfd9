import type { Context } from "hono";
import type { MeshConfig } from "../durable/config.ts";
import type { GatewayPort } from "../durable/coordinator-port.ts";
import type { GatewayActor } from "../src/contract/caller.ts";
import type { Scope } from "../src/protocol/http.ts";
import type { GatewayMemory } from "./gateway-memory.ts";
import type { Env } from "../durable/env.ts";
import type { Millis } from "../src/base/clock.ts";
import type { SafeHeaders } from "./safe-headers.ts";

/** The caller that a request's token identifies. */
export interface Caller {
  /** The token's ID, or `admin` for the token in the configuration. */
  readonly id: string;
  readonly scope: Scope;
  /** Null: the token does not expire. */
  readonly expiresAt: Millis | null;
  /** The caller's name in the audit log. */
  readonly actor: GatewayActor;
}

/** The context of every route: the Worker's bindings, the checked configuration, the coordinator. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    config: MeshConfig;
    coordinator: GatewayPort;
    /** The client's address; empty if it is unknown. */
    address: string;
    memory: GatewayMemory;
    /** Whether the coordinator has the delivery of this request in its source's list, also when its task was refused. */
    deliveryRecorded?: boolean;
    /** What a page has in place of some of the headers of API answers. */
    ownHeaders?: Partial<SafeHeaders>;
    /** Set by `requireScope`, so only routes that need a token's scope have it. */
    caller: Caller;
  };
}

export type AppContext = Context<AppEnv>;
