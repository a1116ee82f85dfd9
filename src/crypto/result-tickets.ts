import { fromHex, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { readShape } from "../base/shape/read-shape.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { ResultContent } from "../protocol/result-content.ts";
import {
  PeerId as PeerIdShape,
  ResultContent as ResultContentShape,
} from "../protocol/shapes/results.ts";
import { hmacSha256 } from "./primitives/hashes.ts";
import type { StreamKey } from "./sealed-stream.ts";

/**
 * A secret for one result, or for the payload and the result of one attempt, which mesh and peer share: the mesh sends it in the peer's
 * session, and it never travels over HTTP. The bytes are sealed with it, and the ticket that goes over HTTP is only a MAC made with it. So
 * whoever ends TLS reads nothing, and can upload or read nothing else with what it sees.
 */
export interface ResultSecret {
  readonly peerId: PeerId;
  readonly secret: Uint8Array;
}

const SECRET_BYTES = 32;
const MAC_BYTES = 32;

/** The text of a secret in a message: peer ID, `.`, the secret in hex. */
export const resultSecretText = ({ peerId, secret }: ResultSecret): string =>
  `${peerId}.${toHex(secret)}`;

/** The secret of such a text; null if it has another form. */
export function readResultSecret(text: string): ResultSecret | null {
  const [peerId = "", hex = "", ...more] = text.split(".");
  const secret = fromHex(hex);
  return readShape(PeerIdShape, peerId).ok && secret?.length === SECRET_BYTES && more.length === 0
    ? { peerId, secret }
    : null;
}

/** Bearer token of the upload of exactly these bytes. */
export function uploadTicket({ peerId, secret }: ResultSecret, content: ResultContent): string {
  const { bytes, sha256 } = content;
  return `${peerId}.${bytes}.${sha256}.${toHex(uploadMac(secret, content))}`;
}

/** What an upload's ticket claims, until its MAC is checked. */
export interface ClaimedUpload {
  readonly peerId: PeerId;
  readonly content: ResultContent;
  readonly mac: Bytes;
}

export function readClaimedUpload(ticket: string): ClaimedUpload | null {
  const [peerId = "", bytes = "", sha256 = "", hex = "", ...more] = ticket.split(".");
  const content = readShape(ResultContentShape, { bytes: Number(bytes), sha256 });
  const mac = fromHex(hex);
  const isWhole =
    readShape(PeerIdShape, peerId).ok && mac?.length === MAC_BYTES && more.length === 0;
  return isWhole && content.ok ? { peerId, content: content.value, mac } : null;
}

export const uploadMac = (secret: Uint8Array, { bytes, sha256 }: ResultContent): Bytes =>
  hmacSha256(secret, utf8(`upload ticket ${bytes} ${sha256}`));

/** Bearer token with which a peer reads the result of a task that it submitted over its session. */
export const downloadTicket = ({ peerId, secret }: ResultSecret): string =>
  `${peerId}.${toHex(downloadMac(secret))}`;

/** The form of a download's ticket is that of a secret, with the MAC in its place. */
export function readClaimedDownload(ticket: string): Omit<ClaimedUpload, "content"> | null {
  const read = readResultSecret(ticket);
  return read === null ? null : { peerId: read.peerId, mac: read.secret as Bytes };
}

export const downloadMac = (secret: Uint8Array): Bytes => hmacSha256(secret, utf8("read ticket"));

/** Bearer token with which the peer of an attempt reads the payload that did not fit its offer. Its form is that of a download's. */
export const payloadTicket = ({ peerId, secret }: ResultSecret): string =>
  `${peerId}.${toHex(payloadMac(secret))}`;

export const payloadMac = (secret: Uint8Array): Bytes => hmacSha256(secret, utf8("payload ticket"));

/** The keys that the bytes are sealed with on their way. */
export const uploadKey = ({ secret }: ResultSecret): StreamKey => ({ secret, purpose: "upload" });
export const payloadKey = ({ secret }: ResultSecret): StreamKey => ({ secret, purpose: "payload" });
export const downloadKey = ({ secret }: ResultSecret): StreamKey => ({ secret, purpose: "read" });
