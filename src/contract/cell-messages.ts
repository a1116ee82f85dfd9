import type { AdmissionCommands } from "./admission.ts";
import type { Topology } from "../cells/topology.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import type { MovedTask } from "../registry/moved-tasks.ts";
import type { DialRef, ProvedKey } from "../peers/dial.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { PeerRecord } from "../protocol/peer-record.ts";
import type { AuditEntry } from "../registry/audit.ts";
import type { FactChange } from "../registry/fact-tables.ts";

type RevokePeer = AdmissionCommands["revoke_peer"];

/**
 * A message from one cell to another. It is stored with the transaction that causes it, and sent until it is taken. The messages from one
 * cell to another are taken in their order, each once.
 */
export type CellMessage =
  /** From cell 0: the cells of the mesh have changed. */
  | { readonly type: "topology"; readonly topology: Topology }
  /** Peers have arrived that the other cell has handed over. */
  | { readonly type: "peers_arrived"; readonly tokens: readonly string[] }
  /** Bars a key whose record may be there. */
  | {
      readonly type: "revoke_peer";
      readonly revoke: RevokePeer["input"];
      readonly actor: string;
      /** The cells that know it, or are told at the same time. */
      readonly told: readonly number[];
    }
  /** The key of a peer was readmitted that was ended as an owner of tasks. */
  | { readonly type: "owner_readmitted"; readonly key: PeerId }
  /** To cell 0: a draining cell has nothing left. `version`: of the topology by which it drains. */
  | { readonly type: "drained"; readonly version: number }
  /** Queued tasks that are the other cell's from now on. */
  | { readonly type: "tasks"; readonly tasks: readonly MovedTask[] }
  /** A task that the other cell counts for its concurrency key has ended. */
  | { readonly type: "permit_returned"; readonly taskId: string }
  /** To the home of the peer that submitted it: a task has ended. */
  | { readonly type: "report"; readonly owner: PeerId; readonly shown: PayloadOf<"task_shown"> }
  /** An owner whose tasks have moved may cause nothing any more. `told`: the cells that know it, or are told at the same time. */
  | { readonly type: "end_owner"; readonly key: string; readonly told: readonly number[] }
  /** The key of a peer whose tasks have moved was rotated. */
  | { readonly type: "owner_rotated"; readonly from: PeerId; readonly to: PeerId }
  /** To cell 0: a peer of the sending cell is connected, or what is published of it has changed. */
  | { readonly type: "peer_connected"; readonly peer: ConnectedPeer }
  /** To cell 0: a peer of the sending cell has no session any more. */
  | { readonly type: "peer_left"; readonly left: DepartedPeer }
  /** To cell 0: a holder of the keys of this discovery epoch has lost the right to them. */
  | { readonly type: "epoch_expelled"; readonly epoch: number }
  /** To cell 0: the operator has forgotten a peer. */
  | { readonly type: "peer_forgotten"; readonly peerId: PeerId }
  /** To cell 0: a peer has another key. */
  | { readonly type: "peer_rotated"; readonly from: PeerId; readonly to: ProvedKey }
  /** To cell 0: the admission rules of a peer have changed. */
  | { readonly type: "admission_changed"; readonly peerId: PeerId }
  /** From cell 0: whether the operator has registered any address that the mesh dials. */
  | { readonly type: "dials"; readonly any: boolean }
  /** From cell 0: the operator has registered the address of a peer of the receiving cell. */
  | {
      readonly type: "address_added";
      readonly key: ProvedKey;
      readonly name: string;
      readonly address: string;
    }
  /** From cell 0: an address of a peer is removed. */
  | { readonly type: "address_removed"; readonly removed: RemovedAddress }
  /** From cell 0: facts of the mesh have changed. They follow on those of the version `after`. */
  | {
      readonly type: "facts";
      readonly after: number;
      readonly version: number;
      readonly changes: readonly FactChange[];
    }
  /** To cell 0: entries of the audit log of a cell that drains. */
  | { readonly type: "audit"; readonly entries: readonly AuditEntry[] }
  /** To cell 0: the peer that was granted a use of this join key has its allowlist entry. */
  | { readonly type: "join_key_used"; readonly keyId: string; readonly peerId: PeerId };

/** A connected peer, as its cell reports it. */
export interface ConnectedPeer {
  readonly peerId: PeerId;
  readonly publicKey: string;
  /** The epoch of its session. */
  readonly session: number;
  /** Whether its key is on the allowlist. */
  readonly listed: boolean;
  /** What is to be published of it; null if nothing is. */
  readonly record: PeerRecord | null;
  /** The dial that led to the session; null if the peer opened it. */
  readonly dial: DialRef | null;
}

export interface DepartedPeer {
  readonly peerId: PeerId;
  /** The epoch of its last session. */
  readonly session: number;
  /** Why, for people. */
  readonly reason: string;
  /** Whether it may reconnect in a moment. */
  readonly lingers: boolean;
}

export interface RemovedAddress {
  readonly peerId: PeerId;
  /** The epoch of the session that the address led to and that ends with it; null if none does. */
  readonly session: number | null;
  /** Why the session ends. */
  readonly reason: string;
  /** Whether the peer has no other address. */
  readonly isLast: boolean;
}
