import { fromHex, type Bytes } from "../../base/bytes.ts";
import { SECOND } from "../../base/clock.ts";
import { isCanonicalKey, peerIdOf } from "../../crypto/identity.ts";
import type { AdvertisedPeer } from "../../peers/advertised-peer.ts";
import { ADVERT_INTERVAL } from "../../protocol/constants.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import { errorReply } from "../messages.ts";
import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";
import { outOfPlace } from "./out-of-place.ts";

/**
 * The peer advertises other peers. Each advert costs the coordinator a command and perhaps row writes, so adverts are limited; one
 * that comes too soon is refused without a strike, because clocks of honest peers differ.
 */
export const handleAdvert: Handler<"advert"> = (session, message, context) => {
  const { claim, epoch, advertAt } = session;
  if (!claim.speaksMuster) return outOfPlace(session, message, context);
  const { now } = context;
  if (advertAt !== null && now - advertAt < ADVERT_INTERVAL)
    return stay(session, errorReply(context, session, TOO_SOON, message.id));
  const peers = message.payload.peers.map(advertisedPeer).filter((peer) => peer !== null);
  const input = { peerId: claim.peerId, epoch, peers };
  return stay({ ...session, advertAt: now }, command({ name: "hear_advert", input }, message.id));
};

const TOO_SOON = {
  code: "rate_limited",
  detail: `send at most one advert every ${ADVERT_INTERVAL / SECOND} s`,
  retryAfter: ADVERT_INTERVAL / SECOND,
} as const;

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
