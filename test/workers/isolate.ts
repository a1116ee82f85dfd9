import { env } from "cloudflare:workers";
import type { Input } from "../../src/contract/commands.ts";
import type { RefusalCounts } from "../../src/metrics/refusal-counts.ts";
import type { CellTarget, RpcCommand } from "../../durable/rpc.ts";
import { gatewayWith, type Call } from "./http.ts";

interface Stub {
  execute(
    version: number,
    actor: string,
    commands: readonly RpcCommand[],
    to: CellTarget,
  ): Promise<unknown>;
}

/**
 * One isolate of a gateway with small budgets, and the commands that it sends to the coordinator. Reports of what was refused
 * are apart: they depend on the time, not on the requests.
 */
export function isolate(variables: Readonly<Record<string, string>> = {}) {
  const commands: string[] = [];
  const reports: Input<"report_refusals">[] = [];
  const counts: RefusalCounts[] = [];
  const real = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")) as unknown as Stub;
  const execute: Stub["execute"] = (version, actor, batch, to) => {
    for (const { name, input } of batch) {
      if (name === "report_refusals") reports.push(input as Input<"report_refusals">);
      else if (name === "count_refusals") counts.push((input as Input<"count_refusals">).counts);
      else commands.push(name);
    }
    return real.execute(version, actor, batch, to);
  };
  const COORDINATOR = { idFromName: (name: string) => name, get: () => ({ execute }) };
  const small = Object.fromEntries(BUDGETS.map((name) => [name, "5"]));
  return { commands, reports, counts, send: gatewayWith({ COORDINATOR, ...small, ...variables }) };
}

const BUDGETS = [
  "HANDSHAKES_PER_MINUTE",
  "FAILED_AUTHORIZATIONS_PER_MINUTE",
  "FAILED_DELIVERIES_PER_MINUTE",
  "DISCOVERY_READS_PER_MINUTE",
];

/** A request from an address, as Cloudflare or the front of `muster start` passes it on. */
export const from = (address: string, options: Call = {}): Call => ({
  ...options,
  headers: { ...options.headers, "CF-Connecting-IP": address },
  cf: {},
});
