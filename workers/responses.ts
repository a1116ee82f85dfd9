import type { z } from "@hono/zod-openapi";
import { ProblemView } from "../src/protocol/http.ts";

/** How a route can fail. Every failure is a problem document; the description says when this one occurs. */
const FAILURES = {
  internal: [500, "The mesh is not configured, or has a defect"],
  invalid: [400, "The request is not valid"],
  unavailable: [503, "A part of the mesh does not answer; see Retry-After"],
  unauthorized: [401, "No valid bearer token"],
  forbidden: [403, "The token's scope does not allow this"],
  not_found: [404, "The resource does not exist"],
  too_large: [413, "The body is too large"],
  too_slow: [408, "The body did not arrive in time"],
  not_json: [415, "The body is not declared as JSON"],
  wrong_media_type: [415, "The body is not declared as application/octet-stream"],
  conflict: [409, "The current state does not allow this"],
  queue_full: [
    429,
    "Too many tasks are queued, in all or of this owner, or the owner's tasks have too many bytes; see Retry-After",
  ],
  storage_full: [507, "The mesh's database is nearly full; see Retry-After"],
  too_many_uploads: [429, "Too many uploads of this result have begun; see Retry-After"],
  key_reused: [422, "The idempotency key was used for another request"],
  event_unmapped: [422, "The event cannot become a task"],
  bad_signature: [401, "The signature is missing, wrong or too old"],
  peer_timeout: [504, "The peer did not answer in time"],
  unconfirmed: [504, "Done, but a session did not confirm its end; the mesh repeats the request"],
  unknown_subprotocol: [400, "The mesh does not speak this WebSocket subprotocol"],
  bad_proof: [401, "The proof is not valid, or the clocks differ too much"],
  unknown_mesh_key: [409, "The mesh does not have the requested key"],
  not_a_websocket: [426, "This path accepts WebSocket connections only"],
  too_many_proofs: [429, "Too many proofs; see Retry-After"],
  too_many_handshakes: [429, "Too many handshakes; see Retry-After"],
  too_many_failures: [
    429,
    "Too many requests from this address without a valid token; see Retry-After",
  ],
} as const satisfies Readonly<Record<string, readonly [status: number, description: string]>>;

export type FailureName = keyof typeof FAILURES;

const problemBody = { content: { "application/problem+json": { schema: ProblemView } } };

/** The responses of a route that can fail in these ways. */
export const failureResponses = (names: readonly FailureName[]) =>
  Object.fromEntries(
    names.map((name) => {
      const [status, description] = FAILURES[name];
      return [status, { description, ...problemBody }];
    }),
  );

/** A response whose body is JSON of this schema. */
export const jsonOf = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** The response of a request that removes something. */
export const noContent = (description: string) => ({ 204: { description } });

/** A JSON body, which is required. */
export const bodyOf = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});
