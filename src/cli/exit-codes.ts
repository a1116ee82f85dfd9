/** The exit codes of the command line, and which one each error code of a mesh, of the SDK and of discovery leads to. */
import type { BackupError } from "../backup/format.ts";
import type { DiscoveryError, PeerErrorCode } from "../client/index.ts";
import type { ErrorCode } from "../protocol/errors.ts";

export const EXIT = {
  /** Done; of a command that waits for a task: the task succeeded. */
  ok: 0,
  /** The task did not succeed, or the command failed at the mesh, at a peer or at a file of this machine. */
  failed: 1,
  /** The call is wrong, whoever finds that out: the command, the SDK or the mesh. */
  usage: 2,
  /** Nothing answers as a mesh there, or the mesh serves nobody at the moment. */
  unreachable: 3,
  /** The mesh refuses this caller, or does not prove that it is the one that is expected. */
  refused: 4,
  /** The output is right as far as it goes, and not complete. */
  incomplete: 5,
} as const;

type Exit = Exclude<keyof typeof EXIT, "ok">;

/** Codes of the SDK itself, besides those of `PeerError` and `DiscoveryError`. */
type SdkCode = "unreachable" | "invalid_response" | "mesh_unproved" | "wait_timeout";

type KnownCode =
  | ErrorCode
  | PeerErrorCode
  | DiscoveryError["code"]
  | SdkCode
  | BackupError["code"]
  | "discovery_incomplete";

/** The types make the compiler say which code is missing. */
const EXIT_OF_CODE: { readonly [Code in KnownCode]: Exit } = {
  // The call is wrong.
  invalid_request: "usage",
  payload_too_large: "usage",
  bad_key: "usage",
  handlers_not_loaded: "usage",
  public_key_invalid: "usage",
  private_key_invalid: "usage",
  recipients_invalid: "usage",
  // Nothing answers as a mesh, or it serves nobody.
  unreachable: "unreachable",
  invalid_response: "unreachable",
  unavailable: "unreachable",
  mesh_restarting: "unreachable",
  request_timeout: "unreachable",
  handshake_timeout: "unreachable",
  ping_timeout: "unreachable",
  // The mesh refuses this caller.
  unauthorized: "refused",
  forbidden: "refused",
  not_permitted: "refused",
  not_allowed: "refused",
  revoked: "refused",
  rotated: "refused",
  join_key_invalid: "refused",
  downgrade_refused: "refused",
  handshake_refused: "refused",
  proof_failed: "refused",
  identity_mismatch: "refused",
  clock_skew: "refused",
  signature_missing: "refused",
  signature_invalid: "refused",
  signature_stale: "refused",
  // It is not the mesh that is expected.
  mesh_key_mismatch: "refused",
  mesh_unproved: "refused",
  mesh_key_unknown: "refused",
  // The output is not complete.
  discovery_incomplete: "incomplete",
  // The call is right, and failed.
  bad_message: "failed",
  undecryptable: "failed",
  frame_too_large: "failed",
  out_of_place: "failed",
  unknown_type: "failed",
  duplicate_message: "failed",
  version_unsupported: "failed",
  clock_stepped_back: "failed",
  dial_refused: "failed",
  mesh_full: "failed",
  rate_limited: "failed",
  superseded: "failed",
  key_in_use: "failed",
  forgotten: "failed",
  drained: "failed",
  not_found: "failed",
  method_not_allowed: "failed",
  upgrade_required: "failed",
  unsupported_media_type: "failed",
  conflict: "failed",
  lease_lost: "failed",
  task_ended: "failed",
  idempotency_mismatch: "failed",
  queue_full: "failed",
  owner_queue_full: "failed",
  owner_bytes_full: "failed",
  storage_full: "failed",
  payload_dropped: "failed",
  peer_unavailable: "failed",
  peer_timeout: "failed",
  too_many_sources: "failed",
  event_unmapped: "failed",
  revoke_unconfirmed: "failed",
  misconfigured: "failed",
  internal: "failed",
  rotation_failed: "failed",
  rotation_unknown: "failed",
  closed: "failed",
  wait_timeout: "failed",
  backup_unknown: "failed",
  backup_newer: "failed",
  backup_cut_off: "failed",
  backup_damaged: "failed",
  backup_sealed_otherwise: "failed",
  statement_forged: "failed",
  statement_old: "failed",
  pointer_expired: "failed",
  directory_old: "failed",
  list_incomplete: "failed",
  signing_key_changed: "failed",
  epoch_unknown: "failed",
  container_invalid: "failed",
  container_unsupported: "failed",
  container_too_large: "failed",
  container_sealed_otherwise: "failed",
  form_invalid: "failed",
  content_invalid: "failed",
  blob_missing: "failed",
  record_invalid: "failed",
};

/** For the manual and docs/command-line.md. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, "done; of a command that waits for a task: the task succeeded"],
  [EXIT.failed, "the call is right, and failed: the task, the command, or a file of this machine"],
  [EXIT.usage, "the call is wrong, whoever finds that out: the command, the SDK or the mesh"],
  [EXIT.unreachable, "nothing answers as a mesh there, or the mesh serves nobody at the moment"],
  [
    EXIT.refused,
    "the mesh refuses this caller, or does not prove that it is the one that is expected",
  ],
  [EXIT.incomplete, "the output is right as far as it goes, and not complete (muster discover)"],
  [130, "stopped by SIGINT before it was done; 143: by SIGTERM; 129: by SIGHUP"],
];

/** The exit code of an error code. A code that a newer mesh has is judged by its HTTP status (0: none). */
export function exitCodeOf(code: string, status = 0): number {
  if (Object.hasOwn(EXIT_OF_CODE, code)) return EXIT[EXIT_OF_CODE[code as KnownCode]];
  if ([401, 403].includes(status)) return EXIT.refused;
  if ([400, 413, 415].includes(status)) return EXIT.usage;
  return [502, 503, 504].includes(status) ? EXIT.unreachable : EXIT.failed;
}
