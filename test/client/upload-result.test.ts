import { afterEach, describe, expect, test } from "vitest";
import { toBase64, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import {
  readClaimedUpload,
  resultSecretText,
  uploadKey,
  uploadMac,
  type ResultSecret,
} from "../../src/crypto/result-tickets.ts";
import { openBytes } from "../../src/crypto/sealed-stream.ts";
import type { Peer } from "../../src/client/peer/peer-handle.ts";
import { toGoP2pError, toProblem, type MusterError } from "../../src/protocol/errors.ts";
import { seededRandom } from "../random.ts";
import { FakeMesh, taskId } from "./fake-mesh.ts";
import { waitFor } from "../wait-for.ts";

const secretOf = (seed: number): ResultSecret => ({
  peerId: "0".repeat(32),
  secret: seededRandom(seed)(32),
});
const SECRET = secretOf(1);
const LARGE = "x".repeat(300_000);
const JSON_BYTES = utf8(JSON.stringify(LARGE));
const CONTENT = { bytes: JSON_BYTES.length, sha256: toBase64(sha256(JSON_BYTES)) };

/** Peers that a test has connected: one that stays connected sets timers in the tests that follow. */
const connected: Peer[] = [];
afterEach(() => Promise.all(connected.splice(0).map((peer) => peer.close())));

/** A peer whose only task has a large result, and the answer to its upload. */
function uploading(
  answer: (init: RequestInit) => Promise<Response>,
  upload = resultSecretText(SECRET),
) {
  const mesh = new FakeMesh();
  const uploads: { readonly url: string; readonly init: RequestInit }[] = [];
  const { peer, session } = mesh.join({
    handlers: { work: () => LARGE },
    platform: {
      fetch: (url, init) => {
        uploads.push({ url, init });
        return answer(init);
      },
    },
  });
  connected.push(peer);
  session.offer({ task_id: taskId(1), fence: 7, upload });
  return { mesh, session, uploads };
}

const stored = async () => new Response(null, { status: 204 });
const refusing = (error: MusterError) => () => {
  const { status, ...problem } = toProblem(error);
  return Promise.resolve(Response.json({ ...problem, status }, { status }));
};
const LOST = { code: "lease_lost", detail: "another has it" } as const;

describe("a result that is too large for a message", () => {
  test("AS100 is uploaded sealed, under a ticket for its bytes, and the session names them", async () => {
    const { session, uploads } = uploading(stored);
    await waitFor(() => expect(session.payloads("task_result")).toHaveLength(1));
    expect(session.payloads("task_result")).toEqual([
      { task_id: taskId(1), fence: 7, ok: true, result: null, uploaded: CONTENT },
    ]);
    const [{ url, init } = { url: "", init: {} }] = uploads;
    expect(url).toBe(`http://mesh.test/v1/task-results/${taskId(1)}/7`);
    expect(init.method).toBe("PUT");
    const headers = new Headers(init.headers);
    expect(headers.get("content-type")).toBe("application/octet-stream");
    const ticket = headers.get("authorization")?.slice("Bearer ".length) ?? "";
    expect(ticket).not.toContain(toHex(SECRET.secret));
    expect(readClaimedUpload(ticket)).toEqual({
      peerId: SECRET.peerId,
      content: CONTENT,
      mac: uploadMac(SECRET.secret, CONTENT),
    });
    const body = init.body as Bytes;
    expect(toHex(body)).not.toContain(toHex(utf8("xxxxxxxx")));
    expect(await openBytes(body, uploadKey(SECRET))).toEqual(JSON_BYTES);
  });

  test("AS101 has succeeded only when the session confirms it, not when the upload is answered", async () => {
    const { mesh, session } = uploading(stored);
    await waitFor(() => expect(session.payloads("task_result")).toHaveLength(1));
    expect(mesh.eventsOf("task_succeeded")).toEqual([]);
    await waitFor(() => session.confirm());
    expect(mesh.eventsOf("task_succeeded")).toHaveLength(1);
  });

  test("AS101 that the mesh does not have is reported as a failure that may be retried", async () => {
    const { mesh, session } = uploading(stored);
    await waitFor(() => expect(session.payloads("task_result")).toHaveLength(1));
    const named = session.received.findLast(({ type }) => type === "task_result");
    const refusal = toGoP2pError({ code: "conflict", detail: "no such upload" }, 1);
    session.send("error", refusal, { replyTo: named?.id ?? "" });
    expect(session.payloads("task_result").at(-1)).toEqual({
      task_id: taskId(1),
      fence: 7,
      ok: false,
      error: expect.stringContaining("no such upload"),
      retry: true,
    });
    expect(mesh.eventsOf("task_succeeded")).toEqual([]);
  });

  test("AS23 of a lost lease is dropped without a message, and its slot is free", async () => {
    const { mesh, session } = uploading(refusing(LOST));
    await waitFor(() => expect(mesh.eventsOf("task_cancelled")).toHaveLength(1));
    expect(session.payloads("task_result")).toEqual([]);
    session.offer({ task_id: taskId(2) });
    expect(session.payloads("task_refuse")).toEqual([]);
  });

  test.for([
    [
      "refused",
      { code: "payload_too_large", detail: "at most 25 MiB" },
      undefined,
      "at most 25 MiB",
    ],
    ["for which the mesh sent no secret", LOST, "an old ticket", "update the mesh"],
  ] as const)("AS23 that is %s is reported to the mesh as a failure", async (row) => {
    const [, error, upload, reason] = row;
    const { session } = uploading(refusing(error), upload);
    await waitFor(() => expect(session.payloads("task_result")).toHaveLength(1));
    expect(session.payloads("task_result")).toMatchObject([
      { task_id: taskId(1), fence: 7, ok: false, error: expect.stringContaining(reason) },
    ]);
  });

  test("AS23 is no longer uploaded when the mesh cancels the task", async () => {
    const { mesh, session, uploads } = uploading(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason as Error)),
        ),
    );
    await waitFor(() => expect(uploads).toHaveLength(1));
    session.send("task_cancel", { task_id: taskId(1), fence: 7, reason: "cancelled" });
    expect(mesh.eventsOf("task_cancelled")).toHaveLength(1);
    expect(uploads[0]?.init.signal?.aborted).toBe(true);
    expect(session.payloads("task_result")).toEqual([]);
  });

  test("AS23 is uploaded again under the newer attempt that has taken over the work", async () => {
    let first = true;
    const { session, uploads } = uploading(async () => {
      if (!first) return stored();
      first = false;
      session.offer({ task_id: taskId(1), fence: 8, upload: resultSecretText(secretOf(2)) });
      return refusing(LOST)();
    });
    await waitFor(() => expect(session.payloads("task_result")).toHaveLength(1));
    expect(uploads.map(({ url }) => url.at(-1))).toEqual(["7", "8"]);
    expect(session.payloads("task_result")).toMatchObject([{ fence: 8, uploaded: CONTENT }]);
  });
});
