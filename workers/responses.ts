import type { z } from "@hono/zod-openapi";
import {
  statusOf,
  toProblem,
  type ErrorCode,
  type MusterError,
  type Problem,
} from "../src/protocol/errors.ts";
import { ProblemView } from "../src/protocol/http.ts";

/** How a route can fail. Every failure is a problem document; the description says when this one occurs. */
const FAILURES = {
  internal: [["internal", "misconfigured"], "The mesh is not configured, or has a defect"],
  invalid: [["invalid_request"], "The request is not valid"],
  unavailable: [["unavailable"], "A part of the mesh does not answer; see Retry-After"],
  unauthorized: [["unauthorized"], "No valid bearer token"],
  forbidden: [["forbidden"], "The token's scope does not allow this"],
  not_found: [["not_found"], "The resource does not exist"],
  too_large: [["payload_too_large"], "The body is too large"],
  too_slow: [["request_timeout"], "The body did not arrive in time"],
  not_json: [["unsupported_media_type"], "The body is not declared as JSON"],
  wrong_media_type: [
    ["unsupported_media_type"],
    "The body is not declared as application/octet-stream",
  ],
  conflict: [["conflict"], "The current state does not allow this"],
  task_ended: [["task_ended"], "The task has ended"],
  payload_dropped: [["payload_dropped"], "The task's payload was dropped some time after its end"],
  lease_lost: [["lease_lost"], "The attempt does not have the lease of its task any more"],
  not_connected: [["peer_unavailable"], "The peer is not connected, or can't answer this request"],
  too_many_sources: [["too_many_sources"], "The mesh has its limit of webhook sources"],
  queue_full: [
    ["queue_full", "owner_queue_full", "owner_bytes_full"],
    "Too many tasks are queued, in all or of this owner, or the owner's tasks have too many bytes; see Retry-After",
  ],
  storage_full: [["storage_full"], "The mesh's database is nearly full; see Retry-After"],
  too_many_streams: [
    ["rate_limited"],
    "Too many streams of events are open, of this token or in all; see Retry-After",
  ],
  too_many_uploads: [
    ["rate_limited"],
    "Too many uploads of this result have begun; see Retry-After",
  ],
  too_many_payload_reads: [
    ["rate_limited"],
    "The attempt has read its payload too often; see Retry-After",
  ],
  key_reused: [["idempotency_mismatch"], "The idempotency key was used for another request"],
  event_unmapped: [["event_unmapped"], "The event cannot become a task"],
  bad_signature: [
    ["signature_missing", "signature_invalid", "signature_stale"],
    "The signature is missing, wrong or too old",
  ],
  peer_timeout: [["peer_timeout"], "The peer did not answer in time"],
  unconfirmed: [
    ["revoke_unconfirmed"],
    "Stored, but a session or a cell of the mesh has not confirmed it yet; the mesh repeats it",
  ],
  unknown_subprotocol: [
    ["version_unsupported"],
    "The mesh does not speak this WebSocket subprotocol",
  ],
  bad_proof: [
    ["proof_failed", "clock_skew"],
    "The proof is not valid, or the clocks differ too much",
  ],
  bad_key: [
    ["bad_key", "identity_mismatch"],
    "The key in the query is malformed, not in its canonical encoding, or not the peer's",
  ],
  unusable_key: [
    ["bad_key"],
    "The public key is malformed, not in its canonical encoding, or of low order: no peer can prove it",
  ],
  not_admitted: [
    ["not_allowed", "revoked"],
    "The peer is revoked, or may not have this role any more",
  ],
  unknown_mesh_key: [["mesh_key_unknown"], "The mesh does not have the requested key"],
  not_a_websocket: [["upgrade_required"], "This path accepts WebSocket connections only"],
  too_many_proofs: [["rate_limited"], "Too many proofs; see Retry-After"],
  too_many_handshakes: [["rate_limited"], "Too many handshakes; see Retry-After"],
  too_many_failures: [
    ["rate_limited"],
    "Too many requests from this address without a valid token; see Retry-After",
  ],
  too_many_reads: [
    ["rate_limited"],
    "Too many reads of discovery from this address; see Retry-After",
  ],
  too_many_deliveries: [
    ["rate_limited"],
    "Too many deliveries from this address that do not verify; see Retry-After",
  ],
} as const satisfies Readonly<
  Record<string, readonly [codes: readonly ErrorCode[], description: string]>
>;

export type FailureName = keyof typeof FAILURES;

/** The responses of a route that can fail in these ways: for each status its codes, with what each means here, and a document of each. */
export function failureResponses(names: readonly FailureName[]) {
  const byStatus = new Map<number, FailureName[]>();
  for (const name of new Set(names)) {
    const status = statusOf(FAILURES[name][0][0]);
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  return Object.fromEntries([...byStatus].map(([status, same]) => [status, failure(same)]));
}

function failure(names: readonly FailureName[]) {
  const failures = names.map((name) => FAILURES[name]);
  const description = failures
    .map(([codes, text]) => `${codes.map((code) => `\`${code}\``).join(", ")}: ${text}`)
    .join(". ");
  const examples = Object.fromEntries(
    failures.flatMap(([codes]) =>
      codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
    ),
  );
  return {
    description,
    content: { "application/problem+json": { schema: ProblemView, examples } },
  };
}

/** A document of each code with which routes answer, for the description of the API. */
export const problemExamples = (): ReadonlyMap<ErrorCode, Problem> =>
  new Map(
    Object.values(FAILURES).flatMap(([codes, detail]) =>
      codes.map((code) => [code, toProblem({ code, detail } as MusterError)]),
    ),
  );

/** A response whose body is JSON of this schema. */
export const jsonOf = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** The response of a request that removes something. */
export const noContent = (description: string) => ({ 204: { description } });

/** A JSON body, which is required, with an example of what a caller sends. */
export const bodyOf = <S extends z.ZodType>(schema: S, example: z.input<S>) => ({
  required: true,
  content: { "application/json": { schema, example } },
});
