import type { Millis } from "../../base/clock.ts";
import type { RollbackGuard } from "../../discovery/resolver.ts";
import type { Region } from "../../protocol/discovery.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import type { Role } from "../../protocol/messages.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import type { OptionNames } from "../known-options.ts";
import type { Degraded } from "./degraded.ts";

/** Which peers to find. A field that is left out matches every peer. */
export interface DiscoverOptions {
  readonly role?: Role;
  /** A label that the peer must have. */
  readonly capability?: string;
  /** Only peers that handle this kind of task. */
  readonly kind?: string;
  readonly region?: Region;
  /** 0 to 1. */
  readonly minScore?: number;
  /** After the present peers, yields changes until the signal aborts. Default false. */
  readonly follow?: boolean;
  /** How often `follow` asks for changes, in milliseconds; default 15 s. */
  readonly intervalMs?: Millis;
  /** How long `follow` continues while requests fail, in milliseconds; then it throws the error. Default 5 min. */
  readonly patienceMs?: Millis;
  /** Called for a pointer whose record does not verify, or can't be opened yet. */
  readonly onIgnored?: (pointer: PointerView, error: unknown) => void;
  readonly signal?: AbortSignal;
}

export const DISCOVER_OPTIONS: OptionNames<DiscoverOptions> = {
  role: "string",
  capability: "string",
  kind: "string",
  region: "string",
  minScore: "number",
  follow: "boolean",
  intervalMs: "number",
  patienceMs: "number",
  onIgnored: "function",
  signal: "signal",
};

/**
 * - `found`: a matching peer is new, or its record has changed;
 * - `gone`: a peer that was found no longer matches;
 * - `degraded`: something can't be read, or something else than before. What was found before still counts, but may be outdated;
 * - `recovered`: everything can be read again.
 */
export type Discovered =
  | { readonly type: "found"; readonly peer: PeerRecord }
  | { readonly type: "gone"; readonly id: string }
  | ({ readonly type: "degraded" } & Degraded)
  | { readonly type: "recovered" };

export interface DiscoverPorts {
  readonly list: (
    query: Readonly<Record<string, string | number | undefined>>,
  ) => Promise<PointerList>;
  /** Asks the source of the last list after the others for a while. False when no other one is left. */
  readonly distrustLast: () => boolean;
  readonly resolve: (pointer: PointerView) => Promise<PeerRecord>;
  readonly guard: () => Promise<RollbackGuard>;
  readonly now: () => Millis;
}
