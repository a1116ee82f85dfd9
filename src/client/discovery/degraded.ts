import { DiscoveryError } from "./discovery-error.ts";
import { MusterApiError } from "../errors.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";

/** How many entries could not be opened for one reason. */
export interface DiscoveryFailure {
  /** The code of a `DiscoveryError`, or of a `MusterApiError` (`unreachable`, `unavailable`, …). */
  readonly code: string;
  /** The detail of the newest error of this code. */
  readonly detail: string;
  /** The entries concerned; 0 if the error concerns the list itself. */
  readonly entries: number;
}

/** What of discovery can't be read at the moment. */
export interface Degraded {
  /** How many published entries could not be opened; null if it is unknown because the list can't be read. */
  readonly missing: number | null;
  readonly failures: readonly DiscoveryFailure[];
}

/** The reasons that are reported, at most. Further ones are left out; `missing` counts their entries. */
const FAILURES_MAX = 16;

/** The failures of some entries, by their code. */
export function failuresOf(errors: Iterable<unknown>): readonly DiscoveryFailure[] {
  const byCode = new Map<string, DiscoveryFailure>();
  for (const error of errors) {
    const { code, detail } = failureOf(error);
    const entries = (byCode.get(code)?.entries ?? 0) + 1;
    byCode.set(code, { code, detail, entries });
  }
  return [...byCode.values()].slice(0, FAILURES_MAX);
}

/** The failure of the list itself. */
export const listFailure = (error: unknown): DiscoveryFailure => ({
  ...failureOf(error),
  entries: 0,
});

function failureOf(error: unknown): Pick<DiscoveryFailure, "code" | "detail"> {
  if (error instanceof DiscoveryError) return { code: error.code, detail: error.message };
  if (error instanceof MusterApiError) return { code: error.code, detail: error.detail };
  return { code: "failed", detail: String(error) };
}

/** One line: how many entries are missing, and why. */
export function degradedText({ missing, failures }: Degraded): string {
  const reasons = failures
    .map(({ code, detail, entries }) => `${entries > 0 ? `${entries} × ` : ""}${code}: ${detail}`)
    .join("; ");
  const what =
    missing === null
      ? "the list of peers can't be read"
      : `${missing} published ${missing === 1 ? "peer" : "peers"} can't be read`;
  return `${what} (${reasons})`;
}

/** Some published peers could not be read. `peers` are those that could: the others exist, too. */
export class DiscoveryIncomplete extends Error {
  override readonly name = "DiscoveryIncomplete";
  readonly code = "discovery_incomplete";
  readonly peers: readonly PeerRecord[];
  readonly degraded: Degraded;

  constructor(peers: readonly PeerRecord[], degraded: Degraded, options: ErrorOptions = {}) {
    super(degradedText(degraded), options);
    this.peers = peers;
    this.degraded = degraded;
  }
}
