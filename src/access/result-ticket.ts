import { equalConstantTime, toHex, utf8 } from "../base/bytes.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import { PeerId } from "../protocol/ids.ts";

/** One attempt at a task. */
export interface AttemptRef {
  readonly taskId: string;
  readonly fence: number;
  readonly peerId: PeerId;
}

/** A peer that gave a task over its session. */
type Reader = Omit<AttemptRef, "fence">;

const MAC_BYTES = 16;

/**
 * What lets one attempt's peer bring its result over HTTP: its ID and a MAC over the attempt, under the mesh's key of
 * checks. Nothing is stored for it; it is worth something only while that attempt holds its task, so it commits once.
 */
export const newUploadTicket = (key: Uint8Array, { peerId, ...of }: AttemptRef): string =>
  ticketOf(key, peerId, bringing(of));

/** The attempt that a ticket was made for; null when it is none of this mesh's for this task and number. */
export function readUploadTicket(
  key: Uint8Array,
  ticket: string,
  of: Omit<AttemptRef, "peerId">,
): AttemptRef | null {
  const peerId = holderOf(key, ticket, bringing(of));
  return peerId === null ? null : { ...of, peerId };
}

/** What lets a peer that gave a task over its session read the result over HTTP, as long as the task is kept. */
export const newDownloadTicket = (key: Uint8Array, { taskId, peerId }: Reader): string =>
  ticketOf(key, peerId, reading(taskId));

/** Who a ticket was made for; null when it is none of this mesh's for this task. */
export function readDownloadTicket(key: Uint8Array, ticket: string, taskId: string): Reader | null {
  const peerId = holderOf(key, ticket, reading(taskId));
  return peerId === null ? null : { taskId, peerId };
}

const bringing = ({ taskId, fence }: Omit<AttemptRef, "peerId">): string =>
  `result ticket v1 ${taskId} ${fence}`;
const reading = (taskId: string): string => `result reader v1 ${taskId}`;

/** `what` says what the ticket is for: one made for something else never serves. */
const ticketOf = (key: Uint8Array, peerId: PeerId, what: string): string =>
  `${peerId}.${toHex(hmacSha256(key, utf8(`${what} ${peerId}`)).subarray(0, MAC_BYTES))}`;

function holderOf(key: Uint8Array, ticket: string, what: string): PeerId | null {
  const [peerId = "", mac = ""] = ticket.split(".");
  if (!PeerId.safeParse(peerId).success) return null;
  const made = ticketOf(key, peerId, what);
  return equalConstantTime(utf8(`${peerId}.${mac}`), utf8(made)) ? peerId : null;
}
