import { ADVERT_PEERS_MAX } from "../../protocol/constants.ts";
import { firstIssue } from "../../protocol/envelope.ts";
import { Advert, type PayloadInput, type Role } from "../../protocol/messages.ts";
import { OptionsError } from "../errors.ts";
import { publicKeyHex } from "../keys.ts";

/** Another peer that this one knows of. */
export interface KnownPeer {
  /** In hex, or its 32 bytes. */
  readonly publicKey: string | Uint8Array;
  /** Where it listens, if it does: visible ASCII. */
  readonly address?: string;
  /** Default `worker`. */
  readonly role?: Role;
  /** What was measured to it, in milliseconds. */
  readonly rttMs?: number;
}

/** What an advert says of them; throws an `OptionsError` for what no mesh would read. */
export function advertOf(peers: readonly KnownPeer[]): PayloadInput<"advert"> {
  if (peers.length > ADVERT_PEERS_MAX)
    throw new OptionsError(`an advert tells of ${ADVERT_PEERS_MAX} peers at most`);
  const advert = Advert.safeParse({
    peers: peers.map(({ publicKey, address = "", role = "worker", rttMs }) => ({
      public_key: publicKeyHex(publicKey, "a peer's public key"),
      address,
      role,
      ...(rttMs !== undefined && { rtt_ms: rttMs }),
    })),
  });
  if (!advert.success) throw new OptionsError(firstIssue(advert.error));
  return advert.data;
}
