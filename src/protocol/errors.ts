/**
 * Every expected failure, as one tagged union with a stable `code`. HTTP shows it as a problem document (RFC 9457),
 * a WebSocket as a close code or a go-p2p `error` message; both come from the one table below.
 */
export type MusterError = SessionFault | ApiError;

/** What can be wrong with a session or a message in it. `detail` is for people and holds no secret. */
export type SessionFault = {
  readonly code:
    | "bad_message"
    | "undecryptable"
    | "frame_too_large"
    | "out_of_place"
    | "unknown_type"
    | "duplicate_message"
    | "version_unsupported"
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
    | "forgotten"
    | "rotated";
  readonly detail: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
};

export type ApiError = {
  readonly code:
    | "invalid_request"
    | "unauthorized"
    | "forbidden"
    | "not_found"
    | "method_not_allowed"
    | "upgrade_required"
    | "payload_too_large"
    | "unsupported_media_type"
    | "conflict"
    | "lease_lost"
    | "task_ended"
    | "idempotency_mismatch"
    | "queue_full"
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
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
  /** The mesh's time (RFC 3339), for a caller whose clock is off. */
  readonly time?: string;
  /** What is wrong where, for requests of several fields. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
};

export type ErrorCode = MusterError["code"];

/** WebSocket close codes of Muster (DESIGN §3); after 4403 and 4409 a client does not come back by itself. */
export const CLOSE = {
  normal: 1000,
  bad: 4400,
  handshake: 4401,
  denied: 4403,
  timeout: 4408,
  superseded: 4409,
  rate: 4429,
  draining: 4503,
} as const;
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** go-p2p's `error` codes. */
export const GO_P2P_ERROR = {
  unknown: 1000,
  invalidMessage: 1001,
  unauthorized: 1002,
  notFound: 1003,
  operationFailed: 1004,
  timeout: 1005,
} as const;

interface WireForm {
  /** HTTP status. */
  readonly status: number;
  /** WebSocket close code, when this ends a session. */
  readonly close: CloseCode;
  /** Code of the go-p2p `error` message, when a message is answered with this. */
  readonly goP2p: number;
  /** One line for people, the same for every occurrence (RFC 9457 §3.1.3). */
  readonly title: string;
}

const wire = (status: number, close: CloseCode, goP2p: number, title: string): WireForm => ({
  status,
  close,
  goP2p,
  title,
});

const { bad, handshake, denied, timeout, superseded, normal, draining, rate } = CLOSE;
const E = GO_P2P_ERROR;

const WIRE: { readonly [Code in ErrorCode]: WireForm } = {
  bad_message: wire(400, bad, E.invalidMessage, "The message can't be read"),
  undecryptable: wire(400, bad, E.invalidMessage, "The frame does not decrypt"),
  frame_too_large: wire(413, bad, E.invalidMessage, "The frame is too large"),
  out_of_place: wire(400, bad, E.invalidMessage, "The message has no place here"),
  unknown_type: wire(400, bad, E.invalidMessage, "The message type is unknown"),
  duplicate_message: wire(409, bad, E.invalidMessage, "The message was seen before"),
  version_unsupported: wire(
    400,
    handshake,
    E.invalidMessage,
    "The protocol version is not supported",
  ),
  bad_key: wire(400, handshake, E.unauthorized, "The public key is not usable"),
  identity_mismatch: wire(400, handshake, E.unauthorized, "The ID does not belong to the key"),
  proof_failed: wire(401, handshake, E.unauthorized, "The key was not proved"),
  handshake_timeout: wire(408, timeout, E.timeout, "The handshake took too long"),
  ping_timeout: wire(408, timeout, E.timeout, "Pings went unanswered"),
  dial_refused: wire(502, normal, E.operationFailed, "The peer that was dialled wants no session"),
  not_permitted: wire(403, bad, E.unauthorized, "A mesh does not do this for a peer"),
  not_allowed: wire(403, denied, E.unauthorized, "The peer is not on the allowlist"),
  revoked: wire(403, denied, E.unauthorized, "The peer is revoked"),
  downgrade_refused: wire(
    403,
    denied,
    E.unauthorized,
    "This key has used the stronger protocol before",
  ),
  join_key_invalid: wire(403, denied, E.unauthorized, "The join key does not open this mesh"),
  mesh_full: wire(429, rate, E.operationFailed, "The mesh has as many peers as it takes"),
  rate_limited: wire(429, rate, E.operationFailed, "Too much at once"),
  rotated: wire(409, denied, E.unauthorized, "The peer has a new key now"),
  superseded: wire(409, superseded, E.operationFailed, "A newer session took over"),
  forgotten: wire(410, normal, E.operationFailed, "The peer was removed by the operator"),
  invalid_request: wire(400, bad, E.invalidMessage, "The request is not valid"),
  unauthorized: wire(401, denied, E.unauthorized, "A valid bearer token is needed"),
  forbidden: wire(403, denied, E.unauthorized, "The token does not allow this"),
  not_found: wire(404, bad, E.notFound, "There is no such thing"),
  method_not_allowed: wire(405, bad, E.invalidMessage, "The method does not apply here"),
  upgrade_required: wire(426, bad, E.invalidMessage, "This path speaks WebSocket"),
  payload_too_large: wire(413, bad, E.invalidMessage, "The body is too large"),
  unsupported_media_type: wire(415, bad, E.invalidMessage, "The body must be JSON"),
  conflict: wire(409, bad, E.operationFailed, "The state does not allow this"),
  lease_lost: wire(409, bad, E.operationFailed, "The lease of this attempt is over"),
  task_ended: wire(409, bad, E.operationFailed, "The task has already ended"),
  idempotency_mismatch: wire(
    422,
    bad,
    E.operationFailed,
    "The idempotency key was used for another request",
  ),
  queue_full: wire(429, rate, E.operationFailed, "The queue is full"),
  peer_unavailable: wire(409, bad, E.operationFailed, "The peer has no live session"),
  peer_timeout: wire(504, timeout, E.timeout, "The peer did not answer in time"),
  too_many_sources: wire(409, bad, E.operationFailed, "There are too many webhook sources"),
  signature_missing: wire(401, denied, E.unauthorized, "The delivery is not signed"),
  signature_invalid: wire(401, denied, E.unauthorized, "The signature does not match"),
  signature_stale: wire(401, denied, E.unauthorized, "The signed time is too far from now"),
  event_unmapped: wire(422, bad, E.invalidMessage, "The event can't become a task"),
  revoke_unconfirmed: wire(
    504,
    draining,
    E.timeout,
    "Revoked, but the live session did not confirm its end",
  ),
  clock_skew: wire(401, handshake, E.unauthorized, "The caller's clock is off"),
  mesh_key_unknown: wire(409, handshake, E.unauthorized, "The mesh does not have this key"),
  unavailable: wire(503, draining, E.timeout, "The mesh can't answer just now"),
  misconfigured: wire(500, draining, E.operationFailed, "The mesh is not configured"),
  internal: wire(500, draining, E.unknown, "Something went wrong inside the mesh"),
};

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(WIRE, text);

/** The HTTP status that goes with a code. */
export const statusOf = (code: ErrorCode): number => WIRE[code].status;

/** A problem document (RFC 9457): `type` is a stable URN of the code. */
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

/** The HTTP form of an error: the body of `application/problem+json`. */
export function toProblem(error: MusterError): Problem {
  const { status, title } = WIRE[error.code];
  return {
    type: `urn:muster:error:${error.code}`,
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

/** The WebSocket form of an error that ends a session. A close reason holds 123 bytes at most (RFC 6455 §5.5). */
export function toClose(error: MusterError): { readonly code: CloseCode; readonly reason: string } {
  const reason = `${error.code}: ${error.detail}`;
  return { code: WIRE[error.code].close, reason: asciiPrefix(reason, 123) };
}

/** The go-p2p form of an error that answers one message; `details`, which is text there, holds our own code. */
export function toGoP2pError(error: MusterError): {
  readonly code: number;
  readonly message: string;
  readonly details: ErrorCode;
  readonly retry_after?: number;
} {
  const { code, detail: message, retryAfter } = error;
  const later = retryAfter === undefined ? {} : { retry_after: retryAfter };
  return { code: WIRE[code].goP2p, message, details: code, ...later };
}

/** At most `max` bytes: non-ASCII becomes `?`, so that bytes and characters count alike. */
const asciiPrefix = (text: string, max: number): string =>
  text.replace(/[^\x20-\x7e]/g, "?").slice(0, max);
