import { z } from "zod";
import { GoP2pGeneration } from "../go-p2p-generation.ts";
import { PeerId, PublicKeyHex } from "../ids.ts";
import { Capabilities, EVERY_KIND, HandledKinds, Role, TaskKind } from "../labels.ts";
import { ShownName } from "../shown-name.ts";
import { MissingCells, NextCursor, Page, Time } from "./page.ts";

export const PEER_STATES = [
  "discovered",
  "active",
  "suspect",
  "stale",
  "evicted",
  "revoked",
] as const;
export const PeerState = z.enum(PEER_STATES);
export type PeerState = z.infer<typeof PeerState>;

/** Whether a peer gets new tasks. `draining`: it finishes what it runs, then it says goodbye. */
const SCHEDULINGS = ["open", "cordoned", "draining"] as const;
export const Scheduling = z.enum(SCHEDULINGS);
export type Scheduling = z.infer<typeof Scheduling>;

/** The preferred protocol first. */
export const PROTOCOLS = ["muster/2", "go-p2p/1.0"] as const;
export const Protocol = z.enum(PROTOCOLS);
export type Protocol = z.infer<typeof Protocol>;

const CircuitView = z
  .object({
    kind: TaskKind.nullable().meta({ description: "Null: the peer as a whole" }),
    state: z.enum(["open", "half_open"]).meta({
      description: "`open`: the peer rests; `half_open`: one task at a time probes it",
    }),
    reason: z.string(),
    rests_until: Time,
  })
  .meta({ id: "Circuit" });

export const PeerView = z
  .object({
    id: PeerId,
    name: ShownName.meta({
      description:
        "The peer's name. A go-p2p node may have any: what is not readable in it is escaped, and a long one ends in `…`",
    }),
    public_key: PublicKeyHex,
    address: z.string().meta({
      description:
        "The address from which the peer last connected, or on which it listens by another peer's advert; empty if unknown",
    }),
    role: Role,
    added_at: Time,
    last_seen: Time.nullable(),
    ping_ms: z
      .number()
      .nullable()
      .meta({ description: "Smoothed round-trip time in milliseconds" }),
    hops: z.number().nullable(),
    geo_km: z
      .number()
      .nullable()
      .meta({ description: "Great-circle distance to the mesh in kilometers" }),
    score: z.number().min(0).max(1).meta({ description: "0.0 worst to 1.0 best" }),
    confidence: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: "The share of the score's weight that is based on measurements" }),
    connected: z.boolean(),
    state: PeerState,
    scheduling: Scheduling.default("open").meta({
      description:
        "Whether the peer gets new tasks; `draining`: it finishes what it runs and leaves",
    }),
    scheduled_by: z.enum(["operator", "peer"]).nullable().default(null).meta({
      description: "Who cordoned or drains the peer",
    }),
    protocol: Protocol.nullable(),
    go_p2p_generation: GoP2pGeneration.nullable().default(null).meta({
      description:
        "Which generation of go-p2p the peer speaks, or spoke in its last session: both call themselves version 1.0; null over muster/2",
    }),
    capabilities: Capabilities,
    kinds: HandledKinds.default([EVERY_KIND]).meta({
      description: "The kinds of task that the peer handles; `*` stands for every kind",
    }),
    slots: z.int(),
    tasks: z.int().meta({ description: "Attempts that the peer has a lease for now" }),
    successes: z.int(),
    failures: z.int(),
    circuits: z.array(CircuitView).optional().meta({
      description: "The peer's circuits that are not closed: while one is open, the peer rests",
    }),
    told_by: z.object({ peer_id: PeerId, ping_ms: z.number().nullable() }).optional().meta({
      description:
        "The peer that advertised this one, and the RTT that it reports; only for peers that are known by an advert only",
    }),
  })
  .meta({ id: "Peer" });
export type PeerView = z.infer<typeof PeerView>;

/** A peer that was revoked, or the key of one that the mesh has no record of. */
export const RevokedPeer = PeerView.extend({
  public_key: PublicKeyHex.nullable().meta({
    description: "Null: the key was revoked by its ID, and the mesh never saw it",
  }),
  known: z.boolean().default(true).meta({
    description: "False: the mesh has no record of this key; the key is refused whenever it comes",
  }),
  rotated_from: PeerId.nullable().default(null).meta({
    description:
      "The ID that the request names, if its peer has rotated to another key: that key is revoked, and its ID is `id`",
  }),
}).meta({ id: "RevokedPeer" });
export type RevokedPeer = z.infer<typeof RevokedPeer>;

export const PairRttView = z
  .object({
    peer_id: PeerId,
    other_id: PeerId,
    rtt_ms: z.number().nullable().meta({
      description:
        "The estimated round-trip time between the two peers in milliseconds; null if nothing is known",
    }),
    error_ms: z.number().nullable().meta({ description: "The expected error of the estimate" }),
    basis: z.enum(["observed", "coordinates"]).nullable().meta({
      description:
        "`observed`: a measurement of the last hour; `coordinates`: the peers' network coordinates (Vivaldi)",
    }),
    observed: z.boolean().meta({ description: "Whether one of the two has ever measured it" }),
    observed_ms: z.number().nullable().meta({ description: "The median of the last samples" }),
    observed_at: Time.nullable(),
  })
  .meta({ id: "PairRtt" });
export type PairRttView = z.infer<typeof PairRttView>;

export const PeerQuery = Page.extend({ state: PeerState.optional(), role: Role.optional() });

export const PeerList = z
  .object({ peers: z.array(PeerView), next_cursor: NextCursor, missing_cells: MissingCells })
  .meta({ id: "PeerList" });
