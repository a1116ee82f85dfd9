import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";

/** A peer as another one tells of it; nothing of it is proved. */
export interface AdvertisedPeer {
  readonly peerId: PeerId;
  /** X25519 public key in hex; the ID follows from it. */
  readonly publicKey: string;
  /** Where it is said to listen; empty when nothing is said. */
  readonly address: string;
  readonly role: Role;
  /** What the teller says that it measured to it, in milliseconds. */
  readonly rttMs: number | null;
}

/** What the registry keeps of it: who told, how many hops away the peer is then, since when and when last. */
export interface PeerAdvert extends AdvertisedPeer {
  readonly advertiser: PeerId;
  readonly hops: number;
  readonly toldAt: Millis;
  readonly heardAt: Millis;
}
