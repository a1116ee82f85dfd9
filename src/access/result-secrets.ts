import { equalConstantTime, utf8, type Bytes } from "../base/bytes.ts";
import { hmacSha256 } from "../crypto/primitives.ts";
import {
  downloadMac,
  payloadMac,
  readClaimedDownload,
  readClaimedUpload,
  uploadMac,
  type ResultSecret,
} from "../crypto/result-tickets.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { ResultContent } from "../protocol/result-content.ts";

/** One attempt at a task. */
export interface AttemptRef {
  readonly taskId: string;
  readonly fence: number;
  readonly peerId: PeerId;
}

/** A task and the peer that submitted it over its session. */
type DownloadRef = Omit<AttemptRef, "fence">;

/**
 * The secret with which the peer of one attempt reads the payload and uploads the result, where they are not in messages. It is derived
 * from the mesh's credential key and needs no storage. A ticket made with it is useful only while the attempt holds the task.
 */
export const attemptSecret = (
  key: Uint8Array,
  { taskId, fence, peerId }: AttemptRef,
): ResultSecret => ({
  peerId,
  secret: secretFor(key, `result upload v2 ${taskId} ${fence} ${peerId}`),
});

/** The secret with which a peer that submitted a task over its session downloads the result, while the task is kept. */
export const downloadSecret = (key: Uint8Array, { taskId, peerId }: DownloadRef): ResultSecret => ({
  peerId,
  secret: secretFor(key, `result download v2 ${taskId} ${peerId}`),
});

const secretFor = (key: Uint8Array, purpose: string): Bytes => hmacSha256(key, utf8(purpose));

/** An upload that the secret of its attempt has authorized: of these bytes, and no others. */
export interface AuthorizedUpload {
  readonly attempt: AttemptRef;
  readonly content: ResultContent;
  readonly secret: ResultSecret;
}

/** The upload for which a ticket was made; null when it is not a ticket of this mesh for this task and fence. */
export function readUploadTicket(
  key: Uint8Array,
  ticket: string,
  { taskId, fence }: Omit<AttemptRef, "peerId">,
): AuthorizedUpload | null {
  const claimed = readClaimedUpload(ticket);
  if (claimed === null) return null;
  const { peerId, content, mac } = claimed;
  const attempt = { taskId, fence, peerId };
  const secret = attemptSecret(key, attempt);
  return equalConstantTime(mac, uploadMac(secret.secret, content))
    ? { attempt, content, secret }
    : null;
}

/** The secret of the attempt for whose payload a ticket was made; null when it is not a ticket of this mesh for this attempt. */
export function readPayloadTicket(
  key: Uint8Array,
  ticket: string,
  { taskId, fence }: Omit<AttemptRef, "peerId">,
): ResultSecret | null {
  const claimed = readClaimedDownload(ticket);
  if (claimed === null) return null;
  const secret = attemptSecret(key, { taskId, fence, peerId: claimed.peerId });
  return equalConstantTime(claimed.mac, payloadMac(secret.secret)) ? secret : null;
}

/** The secret of the download for which a ticket was made; null when it is not a ticket of this mesh for this task. */
export function readDownloadTicket(
  key: Uint8Array,
  ticket: string,
  taskId: string,
): ResultSecret | null {
  const claimed = readClaimedDownload(ticket);
  if (claimed === null) return null;
  const secret = downloadSecret(key, { taskId, peerId: claimed.peerId });
  return equalConstantTime(claimed.mac, downloadMac(secret.secret)) ? secret : null;
}
