import { ADVERT_PEERS_MAX } from "../../protocol/constants.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import type { PayloadInput, Role } from "../../protocol/messages.ts";
import { Advert } from "../../protocol/shapes/messages.ts";
import { OptionsError } from "../errors.ts";
import { publicKeyHex } from "../public-key.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

/** Another peer that this one has contact with. */
export interface KnownPeer {
  /** In hex, or its 32 bytes. */
  readonly publicKey: string | Uint8Array;
  /** The address at which it listens, in visible ASCII; default: it does not listen. */
  readonly address?: string;
  /** Default `worker`. */
  readonly role?: Role;
  /** The measured round-trip time to it, in milliseconds. */
  readonly rttMs?: number;
}

const KNOWN_PEER: OptionNames<KnownPeer> = {
  publicKey: "bytes!",
  address: "string",
  role: "string",
  rttMs: "number",
};

/** The payload of an `advert`; throws an `OptionsError` if an entry is not valid. */
export function advertPayload(peers: readonly KnownPeer[]): PayloadInput<"advert"> {
  if (peers.length > ADVERT_PEERS_MAX)
    throw new OptionsError(`an advert has at most ${ADVERT_PEERS_MAX} peers, not ${peers.length}`);
  for (const peer of peers) refuseUnknownOptions("an entry of peer.advertise", peer, KNOWN_PEER);
  const advert = readShape(Advert, {
    peers: peers.map(({ publicKey, address = "", role = "worker", rttMs }) => ({
      public_key: publicKeyHex(publicKey, "a peer's public key"),
      address,
      role,
      ...(rttMs !== undefined && { rtt_ms: rttMs }),
    })),
  });
  if (!advert.ok) throw new OptionsError(advert.error);
  return advert.value;
}
