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
