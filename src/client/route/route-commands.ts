import type { RouteTool } from "../../protocol/route.ts";

/** A program that measures a path, with its arguments. */
export interface RouteCommand {
  readonly tool: RouteTool;
  readonly file: string;
  readonly args: readonly string[];
}

const HOPS = ["-m", "30"] as const;
/** Addresses without names, two probes for each hop, a second for each answer. */
const TRACEROUTE = ["-n", "-q", "2", "-w", "1", ...HOPS] as const;

/** A name or an address. None begins with a hyphen, so none can be taken for an option. */
const NAME = /^[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9.])?$/i;
const IPV6 = /^[0-9a-f:][0-9a-f:.]{1,44}$/i;

/** The host of a mesh's URL for use as an argument of a program; null if it is not a plain name or address. */
export function routeHost(url: string): string | null {
  const { hostname } = new URL(url);
  if (!hostname.startsWith("[")) return NAME.test(hostname) ? hostname : null;
  const address = hostname.slice(1, -1);
  return IPV6.test(address) ? address : null;
}

/** The programs to try for a host, in order. BSD has a program of its own for IPv6. */
export function routeCommands(host: string): readonly RouteCommand[] {
  const traceroute = ["traceroute", ...(host.includes(":") ? ["traceroute6"] : [])];
  return [
    ...traceroute.map((file) => ({
      tool: "traceroute" as const,
      file,
      args: [...TRACEROUTE, host],
    })),
    { tool: "tracepath", file: "tracepath", args: ["-n", ...HOPS, host] },
    { tool: "mtr", file: "mtr", args: ["-n", "-r", "-w", "-c", "2", ...HOPS, host] },
  ];
}
