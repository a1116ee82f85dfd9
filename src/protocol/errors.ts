import { GO_P2P_ERRORS, type GoP2pErrorCodes } from "./go-p2p-errors.ts";
import { CLOSE, type CloseCode } from "./close-codes.ts";
import { statusOf, TROUBLESHOOTING_PATH } from "./error-statuses.ts";

export { CLOSE, type CloseCode } from "./close-codes.ts";
export { ERROR_CODES, isErrorCode, statusOf, TROUBLESHOOTING_PATH } from "./error-statuses.ts";
import type { GoP2pGeneration } from "./go-p2p-generation.ts";

export { GO_P2P_ERROR } from "./go-p2p-errors.ts";

/**
 * Every expected failure, as one tagged union with a stable `code`. The table below maps each code to its forms: an HTTP
 * problem document (RFC 9457), a WebSocket close code, and a go-p2p `error` message.
 */
export type MusterError = SessionFault | ApiError;

/** An error of a session or of a message in it. `detail` is for people and never contains a secret. */
export type SessionFault = {
  readonly code:
    | "bad_message"
    | "undecryptable"
    | "frame_too_large"
    | "out_of_place"
    | "unknown_type"
    | "duplicate_message"
    | "version_unsupported"
    | "clock_stepped_back"
    | "bad_key"
    | "identity_mismatch"
    | "proof_failed"
    | "handshake_timeout"
    | "ping_timeout"
    | "dial_refused"
    | "not_permitted"
    | "not_allowed"
    | "revoked"
    | "downgrade_refused"
    | "join_key_invalid"
    | "mesh_full"
    | "rate_limited"
    | "superseded"
    | "key_in_use"
    | "forgotten"
    | "drained"
    | "mesh_restarting"
    | "rotated";
  readonly detail: string;
  /** Seconds after which a retry can succeed. */
  readonly retryAfter?: number;
};

/** An error of an HTTP request or of a command. `detail` is for people and never contains a secret. */
export type ApiError = {
  readonly code:
    | "invalid_request"
    | "unauthorized"
    | "forbidden"
    | "not_found"
    | "method_not_allowed"
    | "upgrade_required"
    | "payload_too_large"
    | "request_timeout"
    | "unsupported_media_type"
    | "conflict"
    | "lease_lost"
    | "task_ended"
    | "idempotency_mismatch"
    | "queue_full"
    | "owner_queue_full"
    | "owner_bytes_full"
    | "storage_full"
    | "payload_dropped"
    | "peer_unavailable"
    | "peer_timeout"
    | "too_many_sources"
    | "signature_missing"
    | "signature_invalid"
    | "signature_stale"
    | "event_unmapped"
    | "revoke_unconfirmed"
    | "clock_skew"
    | "mesh_key_unknown"
    | "unavailable"
    | "misconfigured"
    | "internal";
  readonly detail: string;
  /** Seconds after which a retry can succeed. */
  readonly retryAfter?: number;
  /** The mesh's time (RFC 3339), for a caller whose clock is wrong. */
  readonly time?: string;
  /** The invalid fields of the request: the path of each and what is wrong with it. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
};

export type ErrorCode = MusterError["code"];

interface WireForm {
  /** WebSocket close code, if the error ends a session. */
  readonly close: CloseCode;
  /** Codes of the go-p2p `error` message, if the error answers a message. */
  readonly goP2p: GoP2pErrorCodes;
  /** One line for people, the same for each occurrence (RFC 9457 §3.1.3). */
  readonly title: string;
}

const wire = /* @__NO_SIDE_EFFECTS__ */ (
  close: CloseCode,
  goP2p: GoP2pErrorCodes,
  title: string,
): WireForm => ({
  close,
  goP2p,
  title,
});

const { bad, handshake, denied, timeout, superseded, normal, draining, rate } = CLOSE;
const E = GO_P2P_ERRORS;

const WIRE: { readonly [Code in ErrorCode]: WireForm } = {
  bad_message: wire(bad, E.invalidMessage, "The message can't be parsed"),
  undecryptable: wire(bad, E.invalidMessage, "The frame can't be decrypted"),
  frame_too_large: wire(bad, E.invalidMessage, "The frame is too large"),
  out_of_place: wire(bad, E.invalidMessage, "The message type is not allowed in this state"),
  unknown_type: wire(bad, E.invalidMessage, "The message type is unknown"),
  duplicate_message: wire(bad, E.invalidMessage, "The message ID was already used"),
  version_unsupported: wire(handshake, E.invalidMessage, "The protocol version is not supported"),
  bad_key: wire(handshake, E.unauthorized, "The public key is invalid"),
  identity_mismatch: wire(handshake, E.unauthorized, "The ID does not belong to the key"),
  proof_failed: wire(handshake, E.unauthorized, "The proof of the key is wrong"),
  clock_stepped_back: wire(
    bad,
    E.operationFailed,
    "The peer's clock was set back during its session",
  ),
  handshake_timeout: wire(timeout, E.timeout, "The handshake timed out"),
  ping_timeout: wire(timeout, E.timeout, "The peer did not answer pings"),
  dial_refused: wire(normal, E.operationFailed, "The dialed peer refused the session"),
  not_permitted: wire(bad, E.unauthorized, "A peer may not request this of the mesh"),
  not_allowed: wire(denied, E.unauthorized, "The peer is not on the allowlist"),
  revoked: wire(denied, E.unauthorized, "The peer is revoked"),
  downgrade_refused: wire(
    denied,
    E.unauthorized,
    "This key must use the newer protocol, which it used before",
  ),
  join_key_invalid: wire(denied, E.unauthorized, "The join key is not valid for this mesh"),
  mesh_full: wire(rate, E.operationFailed, "The mesh has reached its limit of peers"),
  rate_limited: wire(rate, E.operationFailed, "The rate limit is exceeded"),
  rotated: wire(denied, E.unauthorized, "The peer has rotated to a new key"),
  key_in_use: wire(rate, E.operationFailed, "Another process uses this key"),
  superseded: wire(superseded, E.operationFailed, "A newer session replaced this one"),
  mesh_restarting: wire(draining, E.operationFailed, "The mesh is restarting"),
  drained: wire(normal, E.operationFailed, "The operator has drained this peer"),
  forgotten: wire(normal, E.operationFailed, "The peer was removed by the operator"),
  invalid_request: wire(bad, E.invalidMessage, "The request is invalid"),
  unauthorized: wire(denied, E.unauthorized, "A valid bearer token is required"),
  forbidden: wire(denied, E.unauthorized, "The token does not allow this"),
  not_found: wire(bad, E.notFound, "The resource does not exist"),
  method_not_allowed: wire(bad, E.invalidMessage, "The path does not support this method"),
  upgrade_required: wire(bad, E.invalidMessage, "This path requires a WebSocket upgrade"),
  payload_too_large: wire(bad, E.invalidMessage, "The body is too large"),
  request_timeout: wire(timeout, E.timeout, "The body did not arrive in time"),
  unsupported_media_type: wire(bad, E.invalidMessage, "The body must be JSON"),
  conflict: wire(bad, E.operationFailed, "The current state does not allow this"),
  lease_lost: wire(bad, E.operationFailed, "The attempt no longer holds the task's lease"),
  task_ended: wire(bad, E.operationFailed, "The task has already ended"),
  idempotency_mismatch: wire(
    bad,
    E.operationFailed,
    "The idempotency key was used with a different request",
  ),
  queue_full: wire(rate, E.operationFailed, "The queue is full"),
  owner_queue_full: wire(rate, E.operationFailed, "The owner has too many queued tasks"),
  owner_bytes_full: wire(rate, E.operationFailed, "The owner's tasks have too many bytes"),
  storage_full: wire(rate, E.operationFailed, "The mesh's database is nearly full"),
  payload_dropped: wire(bad, E.operationFailed, "The task's payload is not stored any more"),
  peer_unavailable: wire(bad, E.operationFailed, "The peer is not connected"),
  peer_timeout: wire(timeout, E.timeout, "The peer did not answer in time"),
  too_many_sources: wire(bad, E.operationFailed, "The limit of webhook sources is reached"),
  signature_missing: wire(denied, E.unauthorized, "The delivery is not signed"),
  signature_invalid: wire(denied, E.unauthorized, "The signature does not match"),
  signature_stale: wire(denied, E.unauthorized, "The signed timestamp is too old or in the future"),
  event_unmapped: wire(bad, E.invalidMessage, "The event does not fit the source's mapping"),
  revoke_unconfirmed: wire(
    draining,
    E.timeout,
    "Revoked, but a session or a cell of the mesh has not confirmed it yet",
  ),
  clock_skew: wire(handshake, E.unauthorized, "The caller's clock is wrong"),
  mesh_key_unknown: wire(handshake, E.unauthorized, "The mesh does not have this key"),
  unavailable: wire(draining, E.timeout, "The mesh is temporarily unavailable"),
  misconfigured: wire(draining, E.operationFailed, "The mesh is not configured correctly"),
  internal: wire(draining, E.unknown, "Internal error"),
};

/** A problem document (RFC 9457). `type` is a path of the mesh that answered: it leads to what the code means. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retry_after?: number;
  readonly time?: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

/** The HTTP form of an error: a body of type `application/problem+json`. */
export function toProblem(error: MusterError): Problem {
  const { title } = WIRE[error.code];
  const status = statusOf(error.code);
  return {
    type: `${TROUBLESHOOTING_PATH}/${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.detail,
    ...("retryAfter" in error &&
      error.retryAfter !== undefined && { retry_after: error.retryAfter }),
    ...("time" in error && error.time !== undefined && { time: error.time }),
    ...("issues" in error && error.issues !== undefined && { issues: error.issues }),
  };
}

/** The WebSocket form of an error that ends a session. A close reason has at most 123 bytes (RFC 6455 §5.5). */
export function toClose(error: MusterError): { readonly code: CloseCode; readonly reason: string } {
  const reason = `${error.code}: ${error.detail}`;
  return { code: WIRE[error.code].close, reason: asciiPrefix(reason, 123) };
}

/**
 * The go-p2p form of an error that answers one message; over muster.2, too, with the codes of generation 1. `details` is text in
 * go-p2p; it holds Muster's code.
 */
export function toGoP2pError(
  error: MusterError,
  generation: GoP2pGeneration,
): {
  readonly code: number;
  readonly message: string;
  readonly details: ErrorCode;
  readonly retry_after?: number;
} {
  const { code, detail: message, retryAfter } = error;
  const later = retryAfter === undefined ? {} : { retry_after: retryAfter };
  return { code: WIRE[code].goP2p[generation], message, details: code, ...later };
}

/** The first `max` bytes. Non-ASCII characters become `?`, so that one character is one byte. */
const asciiPrefix = (text: string, max: number): string =>
  text.replace(/[^\x20-\x7e]/g, "?").slice(0, max);
