import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";

/** A peer that another peer advertised. Nothing about it is proved. */
export interface AdvertisedPeer {
  readonly peerId: PeerId;
  /** X25519 public key in hex; the ID follows from it. */
  readonly publicKey: string;
  /** The address where it listens, as advertised; empty when none is given. */
  readonly address: string;
  readonly role: Role;
  /** The RTT that the advertiser claims to have measured, in milliseconds. */
  readonly rttMs: number | null;
}

/**
 * An advertised peer as the registry stores it: with its advertiser, the hops that follow, and the times of the first
 * and the newest advert.
 */
export interface PeerAdvert extends AdvertisedPeer {
  readonly advertiser: PeerId;
  readonly hops: number;
  readonly advertisedAt: Millis;
  readonly heardAt: Millis;
}
