/** Large and sealed results. */
import { fromBase64, fromUtf8, toBase64, toHex } from "../../base/bytes.ts";
import { parseJson } from "../../base/json.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { sha256 } from "../../crypto/primitives/hashes.ts";
import { openResult } from "../../stmf/task-result.ts";
import { check, type Bench, type Check } from "../check.ts";
import { CheckFailed, expect } from "../failure.ts";
import type { ReadMessage } from "../session/read-message.ts";
import { join } from "../steps/join.ts";
import { ended, equalJson, offer } from "../steps/offers.ts";

const SECTION = "protocol.md#large-results";
const BYTES = 1_500_000;

/** The bytes that the peer has uploaded, as its result names them. */
function uploadedBytes({ mesh }: Bench, { payload, text }: ReadMessage): Uint8Array {
  const upload = mesh.uploads.received.findLast(({ fault }) => fault === null);
  const fault = mesh.uploads.received.at(-1)?.fault ?? "no upload";
  if (upload?.bytes === undefined || upload.bytes === null)
    throw new CheckFailed("an upload that the mesh takes", `${fault}; ${text.slice(0, 200)}`);
  const { bytes, sha256: digest } = (payload["uploaded"] ?? {}) as Record<string, unknown>;
  const isNamed = bytes === upload.bytes.length && digest === toBase64(sha256(upload.bytes));
  expect(isNamed, "a result that names the uploaded bytes", text.slice(0, 300));
  return upload.bytes;
}

const isBig = (json: string | null): boolean =>
  json !== null && json.length === BYTES + 2 && json.startsWith('"') && json.endsWith('"');

export const UPLOAD_CHECKS: readonly Check[] = [
  check(
    "UL01",
    SECTION,
    "A result above 256 KiB is uploaded under the ticket of its offer, sealed, and named with its digest.",
    {
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "big", { bytes: BYTES }, { withUpload: true });
        const bytes = uploadedBytes(bench, await ended(session, of, 20_000));
        expect(isBig(fromUtf8(bytes)), "the JSON of the result", `${bytes.length} bytes`);
      },
    },
  ),
  check("UL02", SECTION, "An upload that the mesh cannot take at present is repeated.", {
    level: "should",
    subset: "full",
    seconds: 6,
    run: async (bench) => {
      const session = await join(bench);
      bench.mesh.uploads.refuseNext = { code: "unavailable", detail: "not now", retryAfter: 1 };
      const of = offer(session, "big", { bytes: BYTES }, { withUpload: true });
      uploadedBytes(bench, await ended(session, of, 20_000));
    },
  }),
  check(
    "UL03",
    "protocol.md#sealed-results",
    "A result is sealed to the key of seal_to, as an STMF container: the mesh would seal it, and see it.",
    {
      level: "should",
      subset: "full",
      seconds: 2,
      run: async (bench) => {
        const session = await join(bench);
        const { privateKey, publicKey } = newKeyPair(bench.mesh.random);
        const of = offer(session, "echo", { for: "one" }, { more: { seal_to: toHex(publicKey) } });
        const { payload, text } = await ended(session, of);
        const container = fromBase64(String(payload["result"])) ?? new Uint8Array();
        const opened = openResult(container, privateKey);
        const json = opened === null ? null : fromUtf8(opened);
        const value = json === null ? undefined : parseJson(json);
        expect(payload["sealed"] === true, "sealed: true", text);
        const isSame = equalJson(value, { for: "one" });
        expect(isSame, 'a container that opens to {"for": "one"}', json ?? text);
      },
    },
  ),
  check("UL04", "protocol.md#sealed-results", "A large result is sealed before it is uploaded.", {
    subset: "full",
    seconds: 4,
    run: async (bench) => {
      const session = await join(bench);
      const { privateKey, publicKey } = newKeyPair(bench.mesh.random);
      const more = { seal_to: toHex(publicKey) };
      const of = offer(session, "big", { bytes: BYTES }, { withUpload: true, more });
      const message = await ended(session, of, 20_000);
      const opened = openResult(uploadedBytes(bench, message), privateKey);
      expect(message.payload["sealed"] === true, "sealed: true", message.text.slice(0, 300));
      const json = opened === null ? null : fromUtf8(opened);
      expect(
        isBig(json),
        "a container with the JSON of the result",
        `${json?.length ?? 0} characters`,
      );
    },
  }),
];
