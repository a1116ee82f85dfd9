import type { Context } from "hono";
import type { MeshConfig } from "../durable/config.ts";
import type { GatewayPort } from "../durable/coordinator-port.ts";
import type { GatewayActor } from "../src/contract/caller.ts";
import type { Scope } from "../src/protocol/http.ts";
import type { Env } from "../durable/env.ts";

/** Whose token a request carries. */
export interface Caller {
  /** The token's ID, or `admin` for the one of the configuration. */
  readonly id: string;
  readonly scope: Scope;
  /** As the audit log names it. */
  readonly actor: GatewayActor;
}

/** What every route finds on its context: the Worker's bindings, the checked configuration, the coordinator. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    config: MeshConfig;
    coordinator: GatewayPort;
    /** Set by `authorised`: behind it every route has one. */
    caller: Caller;
  };
}

export type AppContext = Context<AppEnv>;
