import type { PeerState } from "../../src/client/index.ts";

/** The messages from the benchmark to a host process, over IPC. */
export type HostMessage =
  /** Start peers with these private keys (hex), one every `paceMs`. */
  | {
      readonly type: "join";
      readonly url: string;
      readonly meshKey: string;
      readonly privateKeys: readonly string[];
      readonly slots: number;
      readonly paceMs: number;
    }
  /** The host answers with a report with the same number. */
  | { readonly type: "report"; readonly number: number };

/** A connection attempt or a welcome of one of its peers, at a time in Unix milliseconds. */
export interface ConnectionEvent {
  readonly type: "connecting" | "ready";
  readonly at: number;
}

export interface HostedPeer {
  readonly id: string;
  readonly state: PeerState;
  /** The epoch of its newest welcome; 0 before the first. */
  readonly epoch: number;
}

export interface HostReport {
  readonly type: "report";
  readonly number: number;
  readonly peers: readonly HostedPeer[];
  /** The events since the last report. */
  readonly events: readonly ConnectionEvent[];
}
