import type { ErrorCode } from "./errors.ts";

/** The HTTP status of each error. */
const STATUSES: { readonly [Code in ErrorCode]: number } = {
  bad_message: 400,
  undecryptable: 400,
  frame_too_large: 413,
  out_of_place: 400,
  unknown_type: 400,
  duplicate_message: 409,
  version_unsupported: 400,
  bad_key: 400,
  identity_mismatch: 400,
  proof_failed: 401,
  clock_stepped_back: 409,
  handshake_timeout: 408,
  ping_timeout: 408,
  dial_refused: 502,
  not_permitted: 403,
  not_allowed: 403,
  revoked: 403,
  downgrade_refused: 403,
  join_key_invalid: 403,
  mesh_full: 429,
  rate_limited: 429,
  rotated: 409,
  key_in_use: 409,
  superseded: 409,
  mesh_restarting: 503,
  drained: 409,
  forgotten: 410,
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  upgrade_required: 426,
  payload_too_large: 413,
  request_timeout: 408,
  unsupported_media_type: 415,
  conflict: 409,
  lease_lost: 409,
  task_ended: 409,
  idempotency_mismatch: 422,
  queue_full: 429,
  owner_queue_full: 429,
  owner_bytes_full: 429,
  storage_full: 507,
  payload_dropped: 409,
  peer_unavailable: 409,
  peer_timeout: 504,
  too_many_sources: 409,
  signature_missing: 401,
  signature_invalid: 401,
  signature_stale: 401,
  event_unmapped: 422,
  revoke_unconfirmed: 504,
  clock_skew: 401,
  mesh_key_unknown: 409,
  unavailable: 503,
  misconfigured: 500,
  internal: 500,
};

export const ERROR_CODES = /* @__PURE__ */ Object.keys(STATUSES) as readonly ErrorCode[];

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(STATUSES, text);

export const statusOf = (code: ErrorCode): number => STATUSES[code];

/** Where a mesh explains its error codes: docs/troubleshooting.md. */
export const TROUBLESHOOTING_PATH = "/troubleshooting";
