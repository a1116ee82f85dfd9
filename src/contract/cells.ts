import type { Topology } from "../cells/topology.ts";
import type { EndFault, SessionRef } from "../peers/session-orders.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Remembered } from "../registry/idempotency.ts";
import type { PeerRows } from "../registry/peer-bundles.ts";
import type { AdmissionCommands } from "./admission.ts";
import type { CellMessage } from "./cell-messages.ts";
import type { CallersOf } from "./caller.ts";
import type { FactPlace } from "../registry/fact-tables.ts";
import type { FactsPage } from "../registry/facts.ts";
import type { Empty } from "./inputs.ts";
import type { JoinGrant } from "./join-grant.ts";

type RevokePeer = AdmissionCommands["revoke_peer"];

/** What cells say to each other (docs/decisions/122-cells.md). A mesh of one cell sends none of these. */
export interface CellCommands {
  /** Messages of another cell, in their order. Those that have arrived before are left out. The answer has the number of the last one taken. */
  receive_messages: {
    caller: "cell";
    input: { readonly from: number; readonly messages: readonly NumberedMessage[] };
    output: { readonly upTo: number };
  };
  /** The topology, from cell 0. */
  get_topology: { caller: "cell"; input: Empty; output: { readonly topology: Topology } };
  /**
   * Gives the asking cell the peers of which it is the home: those named, or a page of all. The cell learns the topology first, so from
   * then on it takes nothing about them any more. A peer that holds tasks here stays until it holds none.
   */
  hand_over: { caller: "cell"; input: HandOverInput; output: HandedOver };
  /** What an idempotency key has made here. The cell learns the topology first, so from then on it accepts nothing new under the key. */
  find_submission: {
    caller: "cell";
    input: {
      readonly topology: Topology;
      readonly scope: string;
      readonly key: string;
      /** Whether it is the key of a batch. */
      readonly isBatch: boolean;
    };
    output: { readonly found: Remembered | null };
  };
  /** A peer rotates its key in the asking cell, and this cell is the new key's home. */
  expect_peer: {
    caller: "cell";
    input: {
      readonly topology: Topology;
      readonly peerId: PeerId;
      /** The asking cell, and others in which the peer may have submitted tasks. */
      readonly from: readonly number[];
    };
    output: Empty;
  };

  /** Takes peers that another cell has handed over. `page`: if they are a page of all that belong here. */
  import_peers: {
    caller: "mesh";
    input: {
      readonly from: number;
      readonly peers: readonly MovedPeer[];
      readonly page?: PulledPage;
    };
    output: Empty;
  };
  /** Bars a key of which a former home may have the record but does not answer: it is barred there once it takes the message. */
  bar_peer: {
    caller: "mesh";
    input: {
      readonly revoke: RevokePeer["input"];
      readonly actor: string;
      readonly cells: readonly number[];
    };
    output: RevokePeer["output"];
  };
  /** A page of the facts of the mesh, from cell 0. Pages of different versions do not belong together. */
  get_facts: {
    caller: "cell";
    input: { readonly from: FactPlace | null };
    output: FactsPage & { readonly version: number };
  };
  /** The version of the facts of cell 0. */
  get_facts_version: { caller: "cell"; input: Empty; output: { readonly version: number } };
  /** Whether the cell has received one of these deliveries to a webhook source. From then on it takes none of them that belongs to another cell. */
  knows_delivery: {
    caller: "cell";
    input: {
      readonly topology: Topology;
      readonly source: string;
      readonly sourceId: string;
      readonly deliveryIds: readonly string[];
    };
    output: { readonly known: boolean };
  };
  /** Uses a join key up once for a peer of the cell. Asked again before the peer has its entry, it uses up nothing. */
  redeem_join_key: {
    caller: "cell";
    input: { readonly joinKey: string; readonly peerId: PeerId };
    output: JoinGrant;
  };

  /** The cell learns its number and the topology, before its first other command. */
  learn_topology: {
    caller: "mesh";
    input: { readonly own: number; readonly topology: Topology };
    output: Empty;
  };
  /** The cell learns all facts of the mesh. It does not if it has learned of a change meanwhile that is not among them. */
  learn_facts: {
    caller: "mesh";
    input: Pick<FactsPage, "changes"> & { readonly version: number };
    output: { readonly learned: boolean };
  };
  /** The next messages for a cell, up to a number of bytes, and up to `limit`. */
  next_messages: {
    caller: "mesh";
    input: { readonly to: number; readonly limit?: number };
    output: { readonly from: number; readonly messages: readonly NumberedMessage[] };
  };
  /** Which cells do not answer, of those that this one has looked at. */
  note_cells: { caller: "mesh"; input: { readonly silent: readonly number[] }; output: Empty };
  /** A cell has taken messages. */
  messages_taken: {
    caller: "mesh";
    input: { readonly to: number; readonly upTo: number };
    output: Empty;
  };
}

interface HandOverInput {
  readonly topology: Topology;
  /** The cell that asks. */
  readonly to: number;
  /** The peers that it asks for; null for a page of all. */
  readonly peers: readonly PeerId[] | null;
  /** The key after which the page begins. */
  readonly after?: PeerId | null;
  /** Cells that were asked for the peers before, and the departures that have arrived there. */
  readonly asked?: { readonly cells: readonly number[]; readonly arrived: readonly string[] };
}

interface HandedOver {
  readonly peers: readonly MovedPeer[];
  /** Peers that hold tasks here, and stay until they hold none. */
  readonly busy: readonly PeerId[];
  /** Peers that left for a third cell, which has not confirmed that it has them. */
  readonly elsewhere: readonly { readonly peerId: PeerId; readonly cell: number }[];
  /** Departures of the named peers that have arrived here. */
  readonly arrived: readonly string[];
  /** The key after which the next page begins; null if this is the last one. */
  readonly next: PeerId | null;
}

/** A peer on its way to another cell. */
export interface MovedPeer {
  readonly peerId: PeerId;
  /** Names this departure: it is taken once. */
  readonly token: string;
  readonly rows: PeerRows;
  /** Sessions of the peer that were told to end and have not confirmed it. */
  readonly ends: readonly { readonly to: SessionRef; readonly fault: EndFault }[];
}

/** A page of another cell's peers that belong here. */
export interface PulledPage {
  /** The version of the topology by which they belong here. */
  readonly version: number;
  readonly next: PeerId | null;
  /** How many peers of the page could not be fetched. */
  readonly left: number;
}

/** A message with its number among those from one cell to another, which only grows. */
interface NumberedMessage {
  readonly seq: number;
  readonly message: CellMessage;
}

export const CELL_CALLERS: CallersOf<CellCommands> = {
  receive_messages: "cell",
  get_topology: "cell",
  hand_over: "cell",
  find_submission: "cell",
  expect_peer: "cell",
  import_peers: "mesh",
  bar_peer: "mesh",
  get_facts: "cell",
  get_facts_version: "cell",
  knows_delivery: "cell",
  redeem_join_key: "cell",
  learn_topology: "mesh",
  learn_facts: "mesh",
  next_messages: "mesh",
  messages_taken: "mesh",
  note_cells: "mesh",
};
