import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProblemView } from "../../src/protocol/http.ts";
import { ErrorMessage } from "../../src/protocol/messages.ts";
import {
  CLOSE,
  GO_P2P_ERROR,
  toClose,
  toGoP2pError,
  toProblem,
  type ErrorCode,
  type MusterError,
} from "../../src/protocol/errors.ts";

/** The HTTP status and close code of each error code, on which callers rely. The type ensures that no code is missing. */
const TABLE: { readonly [Code in ErrorCode]: readonly [status: number, close: number] } = {
  bad_message: [400, 4400],
  undecryptable: [400, 4400],
  frame_too_large: [413, 4400],
  out_of_place: [400, 4400],
  unknown_type: [400, 4400],
  duplicate_message: [409, 4400],
  version_unsupported: [400, 4401],
  bad_key: [400, 4401],
  identity_mismatch: [400, 4401],
  proof_failed: [401, 4401],
  clock_stepped_back: [409, 4400],
  handshake_timeout: [408, 4408],
  ping_timeout: [408, 4408],
  dial_refused: [502, 1000],
  not_permitted: [403, 4400],
  not_allowed: [403, 4403],
  revoked: [403, 4403],
  downgrade_refused: [403, 4403],
  join_key_invalid: [403, 4403],
  mesh_full: [429, 4429],
  rate_limited: [429, 4429],
  rotated: [409, 4403],
  key_in_use: [409, 4429],
  superseded: [409, 4409],
  mesh_restarting: [503, 4503],
  drained: [409, 1000],
  forgotten: [410, 1000],
  invalid_request: [400, 4400],
  unauthorized: [401, 4403],
  forbidden: [403, 4403],
  not_found: [404, 4400],
  method_not_allowed: [405, 4400],
  upgrade_required: [426, 4400],
  payload_too_large: [413, 4400],
  request_timeout: [408, 4408],
  unsupported_media_type: [415, 4400],
  conflict: [409, 4400],
  lease_lost: [409, 4400],
  task_ended: [409, 4400],
  idempotency_mismatch: [422, 4400],
  queue_full: [429, 4429],
  owner_queue_full: [429, 4429],
  owner_bytes_full: [429, 4429],
  storage_full: [507, 4429],
  payload_dropped: [409, 4400],
  peer_unavailable: [409, 4400],
  peer_timeout: [504, 4408],
  too_many_sources: [409, 4400],
  signature_missing: [401, 4403],
  signature_invalid: [401, 4403],
  signature_stale: [401, 4403],
  event_unmapped: [422, 4400],
  revoke_unconfirmed: [504, 4503],
  clock_skew: [401, 4401],
  mesh_key_unknown: [409, 4401],
  unavailable: [503, 4503],
  misconfigured: [500, 4503],
  internal: [500, 4503],
};
const CODES = Object.keys(TABLE) as ErrorCode[];
const errorOf = (code: ErrorCode, detail = "what happened"): MusterError =>
  ({ code, detail }) as MusterError;

describe("every error code", () => {
  test.for(CODES)("has a problem document: %s", (code) => {
    const problem = toProblem(errorOf(code));
    expect(ProblemView.parse(problem)).toEqual(problem);
    expect(problem).toEqual({
      type: `/troubleshooting/${code}`,
      title: expect.stringMatching(/^[A-Z].*[^.]$/),
      status: TABLE[code][0],
      code,
      detail: "what happened",
    });
  });

  test.for(CODES)(
    "has a WebSocket close code and a reason that starts with the error code: %s",
    (code) => {
      expect(toClose(errorOf(code))).toEqual({
        code: TABLE[code][1],
        reason: `${code}: what happened`,
      });
    },
  );

  test.for(CODES)("GP5 has a go-p2p error message in each generation: %s", (code) => {
    const [first, second] = [toGoP2pError(errorOf(code), 1), toGoP2pError(errorOf(code), 2)];
    for (const message of [first, second]) {
      expect(ErrorMessage.parse(message)).toEqual(message);
      expect(message.message).toBe("what happened");
    }
    expect(Object.values(GO_P2P_ERROR)).toContain(first.code);
    expect(second.code).toBe(SECOND_GENERATION[first.code]);
  });

  test("has a title that no other code has", () => {
    const titles = CODES.map((code) => toProblem(errorOf(code)).title);
    expect(new Set(titles).size).toBe(CODES.length);
  });
});

/** The codes of generation 2 by those of generation 1: an invalid message is an unknown error there, a timeout a failed operation. */
const SECOND_GENERATION: Readonly<Record<number, number>> = {
  1000: 0,
  1001: 0,
  1002: 6,
  1003: 1,
  1004: 4,
  1005: 4,
};

describe("WebSocket close codes", () => {
  test("are codes that an endpoint may send (RFC 6455 §7.4.2)", () => {
    for (const code of Object.values(CLOSE)) {
      expect(code === 1000 || (code >= 4000 && code <= 4999), String(code)).toBe(true);
    }
  });

  test("come with a reason of at most 123 bytes, whatever the detail contains", () => {
    const detail = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ unit: "grapheme", minLength: 100, maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...CODES), detail, (code, text) => {
        const { reason } = toClose(errorOf(code, text));
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
        expect(reason.startsWith(`${code}: `)).toBe(true);
        expect(reason).toMatch(/^[\x20-\x7e]*$/);
      }),
      { numRuns: 300 },
    );
  });

  test("come with as much of a long detail as fits into the reason", () => {
    expect(toClose(errorOf("revoked", "x".repeat(500))).reason).toHaveLength(123);
  });
});

describe("a problem document", () => {
  test("contains retry_after and issues when the error has them", () => {
    const issues = [{ path: "kind", message: "too long" }];
    expect(
      toProblem({ code: "invalid_request", detail: "d", retryAfter: 3, issues }),
    ).toMatchObject({ retry_after: 3, issues });
  });

  test("has no empty members for absent optional fields", () => {
    const bare: MusterError = { code: "queue_full", detail: "d" };
    expect(Object.keys(toProblem(bare)).toSorted()).toEqual(
      ["code", "detail", "status", "title", "type"].toSorted(),
    );
  });

  test("contains a retry_after of 0", () => {
    expect(toProblem({ code: "queue_full", detail: "d", retryAfter: 0 })).toHaveProperty(
      "retry_after",
      0,
    );
  });
});
