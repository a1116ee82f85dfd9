import type { Millis } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { JoinRequest } from "../peers/join-request.ts";
import type { DiscoveryKeys } from "../protocol/discovery.ts";
import type {
  AllowBody,
  AllowEntry,
  AuthMode,
  DenyEntry,
  DenyReason,
  RevokedPeer,
} from "../protocol/http.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Announce, Reconnect, Role } from "../protocol/messages.ts";
import type { RttEstimate } from "../scoring/rtt.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty, MissingCells, PageInput, PageOutput, SessionInput } from "./inputs.ts";
import type { JoinGrant } from "./join-grant.ts";

/** Which peers may connect, and the sessions that they have. */
export interface AdmissionCommands {
  admit: {
    caller: "session";
    /** `redeemed`: what cell 0 says of the join key. The peer's cell sets it, never a session. */
    input: AdmitInput & { readonly redeemed?: Result<JoinGrant, MusterError> };
    output: Admitted;
  };
  observe: { caller: "session"; input: ObserveInput; output: { readonly suspect: boolean } };
  gone: { caller: "session"; input: GoneInput; output: Empty };
  announce: {
    caller: "session";
    input: SessionInput & { readonly announced: Announce };
    output: Empty;
  };
  /** The session has verified that the peer holds the new key, too. */
  rotate_peer: {
    caller: "session";
    input: SessionInput & { readonly newPeerId: PeerId; readonly newPublicKey: string };
    output: Empty;
  };

  /** Ends sessions that began before a time, because the mesh restarts. Not all at once: `remaining` are left. */
  drain_mesh: {
    caller: "gateway";
    input: { readonly before: Millis; readonly pauseMs: Millis };
    output: { readonly ended: number; readonly remaining: number } & MissingCells;
  };
  revoke_peer: { caller: "gateway"; input: RevokeInput; output: RevokedPeer };
  list_denied: {
    caller: "gateway";
    input: PageInput & { readonly reason?: DenyReason | undefined };
    output: PageOutput & { readonly entries: DenyEntry[] };
  };
  /** The key is not barred any more. It joins as its allowlist entry and the auth mode say. */
  lift_denial: { caller: "gateway"; input: { readonly id: PeerId }; output: Empty };
  forget_peer: { caller: "gateway"; input: { readonly id: PeerId }; output: Empty };
  get_auth_mode: { caller: "gateway"; input: Empty; output: { readonly mode: AuthMode } };
  set_auth_mode: {
    caller: "gateway";
    input: { readonly mode: AuthMode };
    output: { readonly mode: AuthMode };
  };
  list_allowed: {
    caller: "gateway";
    input: Empty;
    output: { readonly mode: AuthMode; readonly entries: AllowEntry[] } & MissingCells;
  };
  allow: {
    caller: "gateway";
    input: AllowBody & { readonly publicKey: string; readonly peerId: PeerId };
    output: AllowEntry;
  };
  disallow: { caller: "gateway"; input: { readonly publicKey: string }; output: Empty };
}

export const ADMISSION_CALLERS: CallersOf<AdmissionCommands> = {
  admit: "session",
  observe: "session",
  gone: "session",
  announce: "session",
  rotate_peer: "session",
  drain_mesh: "gateway",
  revoke_peer: "gateway",
  list_denied: "gateway",
  lift_denial: "gateway",
  forget_peer: "gateway",
  get_auth_mode: "gateway",
  set_auth_mode: "gateway",
  list_allowed: "gateway",
  allow: "gateway",
  disallow: "gateway",
};

/** The key to revoke, by its ID. The mesh need not have a record of it. */
interface RevokeInput {
  readonly id: PeerId;
  /** Where the caller named the key itself. */
  readonly publicKey?: string | undefined;
  /** Leaves the tasks that the peer submitted, and their callbacks. */
  readonly keepTasks?: boolean;
}

/** A peer proved its key to a session, which asks whether the peer may connect. */
export interface AdmitInput extends JoinRequest {
  /** ID of the object that holds the session. */
  readonly session: string;
}

export interface Admitted {
  readonly epoch: number;
  readonly role: Role;
  /** The RTT estimate, including the sample of the key proof. */
  readonly rtt: RttEstimate;
  /** How long the peer waits before it reconnects when many peers do. */
  readonly reconnect: Reconnect;
  /** When the last lease that the peer holds from an earlier session ends; absent when it holds none. */
  readonly leasedUntil?: Millis;
  /** How many attempts the peer holds. */
  readonly held: number;
  /** Set when the peer begins as suspect, because its sessions flap: it is pinged often until the coordinator says otherwise. */
  readonly suspect?: boolean;
  /** The keys by which a member finds and opens the records of other peers; absent for a peer that is not a member. */
  readonly discovery?: DiscoveryKeys;
}

/** A peer answered a ping, or did not. */
interface ObserveInput extends SessionInput {
  /** Grows with each observation of a session, so that an observation that was overtaken changes nothing. */
  readonly seq: number;
  readonly event: "answered" | "missed_answer";
  readonly rtt: RttEstimate | null;
}

/** A session ended. It is named by its epoch, or by its object where the object does not know the epoch. */
type GoneInput = {
  readonly peerId: PeerId;
  readonly reason: string;
  /** Whether the connection was lost without a close by either side. */
  readonly silent: boolean;
} & ({ readonly epoch: number } | { readonly session: string });
