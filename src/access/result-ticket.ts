import { equalConstantTime, toHex, utf8 } from "../base/bytes.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import { PeerId } from "../protocol/ids.ts";

/** One attempt at a task. */
export interface AttemptRef {
  readonly taskId: string;
  readonly fence: number;
  readonly peerId: PeerId;
}

/** A task and the peer that submitted it over its session. */
type DownloadRef = Omit<AttemptRef, "fence">;

const MAC_BYTES = 16;

/**
 * The ticket with which the peer of one attempt uploads a large result over HTTP: the peer ID, and a MAC of the attempt
 * with the mesh's credential key. It needs no storage. It is useful only while the attempt holds the task, so that a
 * result is committed at most once.
 */
export const newUploadTicket = (key: Uint8Array, { peerId, ...attempt }: AttemptRef): string =>
  ticketOf(key, peerId, uploadPurpose(attempt));

/** The attempt for which a ticket was created; null when it is not a ticket of this mesh for this task and fence. */
export function readUploadTicket(
  key: Uint8Array,
  ticket: string,
  attempt: Omit<AttemptRef, "peerId">,
): AttemptRef | null {
  const peerId = verifiedPeerId(key, ticket, uploadPurpose(attempt));
  return peerId === null ? null : { ...attempt, peerId };
}

/** The ticket with which a peer that submitted a task over its session downloads the result over HTTP, while the task is kept. */
export const newDownloadTicket = (key: Uint8Array, { taskId, peerId }: DownloadRef): string =>
  ticketOf(key, peerId, downloadPurpose(taskId));

/** The peer for which a ticket was created; null when it is not a ticket of this mesh for this task. */
export function readDownloadTicket(
  key: Uint8Array,
  ticket: string,
  taskId: string,
): DownloadRef | null {
  const peerId = verifiedPeerId(key, ticket, downloadPurpose(taskId));
  return peerId === null ? null : { taskId, peerId };
}

const uploadPurpose = ({ taskId, fence }: Omit<AttemptRef, "peerId">): string =>
  `result ticket v1 ${taskId} ${fence}`;
const downloadPurpose = (taskId: string): string => `result reader v1 ${taskId}`;

/** The MAC covers the purpose, so that a ticket is invalid for any other purpose. */
const ticketOf = (key: Uint8Array, peerId: PeerId, purpose: string): string =>
  `${peerId}.${toHex(hmacSha256(key, utf8(`${purpose} ${peerId}`)).subarray(0, MAC_BYTES))}`;

function verifiedPeerId(key: Uint8Array, ticket: string, purpose: string): PeerId | null {
  const [peerId = "", mac = ""] = ticket.split(".");
  if (!PeerId.safeParse(peerId).success) return null;
  const expected = ticketOf(key, peerId, purpose);
  return equalConstantTime(utf8(`${peerId}.${mac}`), utf8(expected)) ? peerId : null;
}
