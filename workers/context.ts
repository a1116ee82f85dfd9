import type { Context } from "hono";
import type { MeshConfig } from "../durable/config.ts";
import type { CoordinatorPort } from "../durable/coordinator-port.ts";
import type { Env } from "../durable/env.ts";

/** What every route finds on its context: the Worker's bindings, the checked configuration, the coordinator. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    config: MeshConfig;
    coordinator: CoordinatorPort;
  };
}

export type AppContext = Context<AppEnv>;
