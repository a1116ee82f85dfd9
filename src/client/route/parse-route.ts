import type { RouteTool } from "../../protocol/route.ts";
import { ROUTE_HOPS_MAX } from "../../protocol/route-limits.ts";

/**
 * The hops to the destination from a tool's output (standard output and error together); null if the destination did not
 * answer, or if the output is of another form.
 */
export function parseRoute(tool: RouteTool, output: string): number | null {
  const hops = PARSERS[tool](output.split(/\r?\n/));
  return hops !== null && hops >= 1 && hops <= ROUTE_HOPS_MAX ? hops : null;
}

type Parser = (lines: readonly string[]) => number | null;

const PARSERS: { readonly [T in RouteTool]: Parser } = {
  traceroute: parseTraceroute,
  tracepath: parseTracepath,
  mtr: parseMtr,
};

/** `traceroute to mesh.example (203.0.113.9), 30 hops max`; BSD's traceroute6 puts `from ...` between. */
const TRACEROUTE_HEADER = /^traceroute6? to \S+ \(([0-9a-fA-F:.]+)(?:%\w+)?\)/;
/** ` 4  198.51.100.1  9.1 ms  9.3 ms`, ` 5  * *`. Other addresses of a hop follow in the same line or, by BSD, in the next. */
const TRACEROUTE_HOP = /^\s*(\d{1,3})\s+(\S.*)$/;

/** The destination has answered where its address appears. `!H` and the like are reports of the router before it. */
function parseTraceroute(lines: readonly string[]): number | null {
  const destination = firstMatch(lines, TRACEROUTE_HEADER)?.[1]?.toLowerCase();
  if (destination === undefined) return null;
  let hop = 0;
  for (const line of lines) {
    if (TRACEROUTE_HEADER.test(line)) continue;
    const numbered = TRACEROUTE_HOP.exec(line);
    if (numbered !== null) hop = Number(numbered[1]);
    const words = (numbered?.[2] ?? line).toLowerCase().split(/\s+/);
    if (hop > 0 && words.includes(destination)) return hop;
  }
  return null;
}

/** ` 4:  203.0.113.9    12.301ms reached`; `4?:` if the hop is guessed from the time to live that was sent. */
const TRACEPATH_REACHED = /^\s*(\d{1,3})\??:\s.*\breached\b/;

function parseTracepath(lines: readonly string[]): number | null {
  const reached = firstMatch(lines, TRACEPATH_REACHED);
  return reached === null ? null : Number(reached[1]);
}

/** `  4.|-- 203.0.113.9   0.0%     2   12.0  12.1  12.0  12.3   0.2`; `???` for a hop that did not answer. */
const MTR_HOP = /^\s*(\d{1,3})\.(?:\|--)?\s+(\S+)/;

/** The last hop is the destination. If the destination does not answer, mtr ends with a hop that did not answer. */
function parseMtr(lines: readonly string[]): number | null {
  const last = lines.map((line) => MTR_HOP.exec(line)).findLast((hop) => hop !== null);
  return last === undefined || last === null || last[2] === "???" ? null : Number(last[1]);
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | null {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  return null;
}
