import type { PeerState } from "../../src/client/index.ts";

/** What a host's parent tells it, by IPC. */
export type ToHost =
  /** Join with these private keys (hex), one after another, `paceMs` apart. */
  | {
      readonly type: "join";
      readonly url: string;
      readonly meshKey: string;
      readonly privateKeys: readonly string[];
      readonly slots: number;
      readonly paceMs: number;
    }
  /** Answered by a report of the same number. */
  | { readonly type: "report"; readonly number: number };

/** One dial or one welcome of one of its peers, at a time in Unix milliseconds. */
export interface Moment {
  readonly what: "connecting" | "ready";
  readonly at: number;
}

export interface HostedPeer {
  readonly id: string;
  readonly state: PeerState;
  /** Of its newest welcome; 0 before the first. */
  readonly epoch: number;
}

export interface HostReport {
  readonly type: "report";
  readonly number: number;
  readonly peers: readonly HostedPeer[];
  /** Since the last report. */
  readonly moments: readonly Moment[];
}
