import { equalConstantTime, toHex, utf8 } from "../base/bytes.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import { PeerId } from "../protocol/ids.ts";

/** One attempt at a task. */
export interface AttemptRef {
  readonly taskId: string;
  readonly fence: number;
  readonly peerId: PeerId;
}

const MAC_BYTES = 16;

/**
 * What lets one attempt's peer bring its result over HTTP: its ID and a MAC over the attempt, under the mesh's key of
 * checks. Nothing is stored for it; it is worth something only while that attempt holds its task, so it commits once.
 */
export const resultTicket = (key: Uint8Array, attempt: AttemptRef): string =>
  `${attempt.peerId}.${macOf(key, attempt)}`;

/** The attempt that a ticket was made for; null when it is none of this mesh's for this task and number. */
export function readResultTicket(
  key: Uint8Array,
  ticket: string,
  { taskId, fence }: Omit<AttemptRef, "peerId">,
): AttemptRef | null {
  const [peerId = "", mac = ""] = ticket.split(".");
  if (!PeerId.safeParse(peerId).success) return null;
  const attempt = { taskId, fence, peerId };
  return equalConstantTime(utf8(mac), utf8(macOf(key, attempt))) ? attempt : null;
}

/** What lets a peer that gave a task over its session read the result over HTTP, as long as the task is kept. */
export const readerTicket = (key: Uint8Array, reader: Reader): string =>
  `${reader.peerId}.${readerMac(key, reader)}`;

/** Who a ticket was made for; null when it is none of this mesh's for this task. */
export function readReaderTicket(key: Uint8Array, ticket: string, taskId: string): Reader | null {
  const [peerId = "", mac = ""] = ticket.split(".");
  if (!PeerId.safeParse(peerId).success) return null;
  const reader = { taskId, peerId };
  return equalConstantTime(utf8(mac), utf8(readerMac(key, reader))) ? reader : null;
}

type Reader = Omit<AttemptRef, "fence">;

const readerMac = (key: Uint8Array, { taskId, peerId }: Reader): string =>
  toHex(hmacSha256(key, utf8(`result reader v1 ${taskId} ${peerId}`)).subarray(0, MAC_BYTES));

const macOf = (key: Uint8Array, { taskId, fence, peerId }: AttemptRef): string =>
  toHex(
    hmacSha256(key, utf8(`result ticket v1 ${taskId} ${fence} ${peerId}`)).subarray(0, MAC_BYTES),
  );
