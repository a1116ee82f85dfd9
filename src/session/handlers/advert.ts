import { fromHex, type Bytes } from "../../base/bytes.ts";
import { isCanonicalKey, peerIdOf } from "../../crypto/identity.ts";
import type { AdvertisedPeer } from "../../peers/advertised-peer.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** The peer advertises other peers. */
export const handleAdvert: Handler<"advert"> = (session, { id, payload }) => {
  const { claim, epoch } = session;
  const peers = payload.peers.map(advertisedPeer).filter((peer) => peer !== null);
  return stay(
    session,
    command({ name: "hear_advert", input: { peerId: claim.peerId, epoch, peers } }, id),
  );
};

/** Null for a key that is not canonical: no peer could prove it. */
function advertisedPeer(advertised: PayloadOf<"advert">["peers"][number]): AdvertisedPeer | null {
  const key = fromHex(advertised.public_key) as Bytes;
  if (!isCanonicalKey(key)) return null;
  return {
    peerId: peerIdOf(key),
    publicKey: advertised.public_key,
    address: advertised.address,
    role: advertised.role,
    rttMs: advertised.rtt_ms ?? null,
  };
}
