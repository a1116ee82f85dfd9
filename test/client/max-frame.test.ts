import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { toBase64, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import { exactJson, exactJsonOf, NULL_JSON } from "../../src/base/json-text/json-text.ts";
import { OptionsError, TaskError } from "../../src/client/errors.ts";

import type { PeerOptions } from "../../src/client/peer/peer-options.ts";
import type { TaskContext } from "../../src/client/work/handler.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import {
  payloadKey,
  payloadTicket,
  resultSecretText,
  uploadKey,
  type ResultSecret,
} from "../../src/crypto/result-tickets.ts";
import { openBytes, sealBytes } from "../../src/crypto/sealed-stream.ts";
import { FRAME_BYTES_MAX } from "../../src/protocol/constants.ts";
import { toProblem, type MusterError } from "../../src/protocol/errors.ts";
import { MAX_FRAME_LEAST } from "../../src/protocol/max-frame.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { waitFor } from "../wait-for.ts";
import { taskId } from "./fake-mesh.ts";
import { NoiseMesh } from "./noise-mesh.ts";

const MAX_FRAME = 20_000;
const random = seededRandom(31);
const secretOf = (fence: number): ResultSecret => ({
  peerId: "0".repeat(32),
  secret: seededRandom(fence)(32),
});
const LARGE = `{"n": 9007199254740993, "text": ${JSON.stringify("é".repeat(30_000))}}`;

const anOffer = (payload: string, fence = 7, more: Partial<TaskOffer> = {}): TaskOffer => ({
  task_id: taskId(1),
  fence,
  kind: "work",
  payload: exactJson(payload),
  attempt: 1,
  lease_seconds: 30,
  upload: resultSecretText(secretOf(fence)),
  ...more,
});

interface Request {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: Bytes;
  readonly signal: AbortSignal;
}

/** A peer with this limit for frames, and the mesh's side of its session and of its requests. */
async function joinedPeer(
  answer: (request: Request) => Promise<Response>,
  options: Partial<PeerOptions> = {},
) {
  const mesh = new NoiseMesh();
  const requests: Request[] = [];
  const seen: TaskContext[] = [];
  const peer = mesh.connect({
    meshKey: mesh.keys.publicKey,
    maxFrame: MAX_FRAME,
    handlers: {
      work: (_, context) => {
        seen.push(context);
        return "done";
      },
    },
    ...options,
    platform: {
      fetch: (url, init) => {
        const { pathname: path } = new URL(url);
        const token = new Headers(init.headers).get("authorization")?.slice("Bearer ".length) ?? "";
        const { method = "GET", signal, body } = init;
        const request = { method, path, token, body: body as Bytes, signal: signal as AbortSignal };
        requests.push(request);
        return answer(request);
      },
    },
  });
  onTestFinished(() => peer.close());
  await peer.ready;
  const offer = (offered: TaskOffer) => mesh.dispatch({ type: "offer", offer: offered });
  const results = () =>
    mesh.commands.flatMap((command) =>
      command.name === "finish_task" ? [command.input.outcome] : [],
    );
  return { mesh, peer, requests, seen, offer, results };
}

const sealedPayload = async (payload: string, fence = 7): Promise<Response> =>
  new Response(await sealBytes(utf8(payload), payloadKey(secretOf(fence)), random));
const refusing = (error: MusterError): Response => {
  const problem = toProblem(error);
  return Response.json(problem, { status: problem.status });
};
const noRequest = () => Promise.reject(new Error("no request is expected"));

describe("the option maxFrame", () => {
  test("NX16 is said in the hello, and the mesh keeps to it", async () => {
    const { mesh, offer, results } = await joinedPeer(noRequest);
    await offer(anOffer(JSON.stringify("x".repeat(MAX_FRAME - 2_000))));
    await waitFor(() => expect(results()).toHaveLength(1));
    expect(mesh.events.filter(({ type }) => type === "disconnected")).toEqual([]);
  });

  test.for([
    [{ maxFrame: MAX_FRAME_LEAST - 1 }, "8192 to 1048576, not 8191"],
    [{ maxFrame: FRAME_BYTES_MAX + 1 }, "not 1048577"],
    [{ maxFrame: 65_535.5 }, "a whole number"],
    [{ maxFrame: 65_535, protocol: "go-p2p/1.0" }, "is for muster.2"],
  ] as const)("NX16 is refused if it is not valid: %j", ([options, says]) => {
    const connect = () => new NoiseMesh().connect(options);
    expect(connect).toThrow(OptionsError);
    expect(connect).toThrow(says);
  });

  test("NX16 a larger frame of a mesh that does not keep to it ends the connection", async () => {
    const { mesh, offer } = await joinedPeer(noRequest);
    mesh.ignoresMaxFrame = true;
    await offer(anOffer("1"));
    await offer(anOffer(LARGE, 8));
    await waitFor(() =>
      expect(mesh.events.filter(({ type }) => type === "disconnected")).toHaveLength(1),
    );
  });
});

describe("a payload that does not fit its offer", () => {
  test("NX17 is fetched under a ticket, opened and compared; the handler gets its text", async () => {
    const { requests, seen, offer, results } = await joinedPeer(() => sealedPayload(LARGE));
    await offer(anOffer(LARGE));
    await waitFor(() => expect(results()).toMatchObject([{ ok: true, fence: 7 }]));
    expect(seen.map(({ payloadText }) => payloadText)).toEqual([LARGE]);
    expect(requests).toMatchObject([
      {
        method: "GET",
        path: `/v1/task-payloads/${taskId(1)}/7`,
        token: payloadTicket(secretOf(7)),
      },
    ]);
    expect(requests[0]?.token).not.toContain(toHex(secretOf(7).secret));
  });

  test("NX17 is fetched again when the mesh does not answer or breaks off", async () => {
    const failures = [
      () => Promise.reject(new TypeError("fetch failed")),
      async () =>
        new Response(
          new ReadableStream({
            start: (on) => {
              on.enqueue(new Uint8Array(10));
              on.error(new Error("reset"));
            },
          }),
        ),
      async () => refusing({ code: "unavailable", detail: "restarting" }),
    ];
    const { requests, offer, results } = await joinedPeer(() =>
      (failures.shift() ?? (() => sealedPayload(LARGE)))(),
    );
    await offer(anOffer(LARGE));
    await waitFor(() => expect(results()).toMatchObject([{ ok: true }]));
    expect(requests).toHaveLength(4);
  });

  const other = LARGE.replace("é", "è");
  test.for([
    ["is another one", () => sealedPayload(other), "does not match the digest"],
    ["is longer", () => sealedPayload(`${LARGE}${" ".repeat(99)}`), "has more than"],
    ["is shorter", () => sealedPayload(LARGE.slice(0, -9)), "does not match the digest"],
    ["is sealed with another secret", () => sealedPayload(LARGE, 8), "was not sealed by the mesh"],
    ["is not sealed", async () => new Response(utf8(LARGE).slice(9)), "was not sealed by the mesh"],
    ["is empty", async () => new Response(""), "was not sealed by the mesh"],
    [
      "does not exist",
      async () => refusing({ code: "not_found", detail: "no task with this ID" }),
      "no task with this ID",
    ],
    [
      "is refused",
      async () => refusing({ code: "unauthorized", detail: "a ticket is needed" }),
      "a ticket is needed",
    ],
  ] as const)("NX17 that %s fails the attempt, which may be retried", async (row) => {
    const [, answer, reason] = row;
    const { mesh, requests, seen, offer, results } = await joinedPeer(answer);
    await offer(anOffer(LARGE));
    await waitFor(() => expect(results()).toHaveLength(1));
    expect(results()).toMatchObject([
      { ok: false, retry: true, error: expect.stringMatching(/^the payload could not be read: /) },
    ]);
    expect(results()).toMatchObject([{ error: expect.stringContaining(reason) }]);
    expect([requests.length, seen.length]).toEqual([1, 0]);
    await offer(anOffer("1", 8, { task_id: taskId(2) }));
    await waitFor(() => expect(results()).toHaveLength(2));
    expect(mesh.events.filter(({ type }) => type === "disconnected")).toEqual([]);
  });

  test("NX17 of an offer without a secret fails the attempt", async () => {
    const { offer, results } = await joinedPeer(noRequest);
    await offer(anOffer(LARGE, 7, { upload: undefined }));
    await waitFor(() =>
      expect(results()).toMatchObject([{ error: expect.stringContaining("no secret") }]),
    );
  });

  test("NX17 of an attempt that has ended is given up without a message, and the slot is free", async () => {
    const { mesh, offer, results } = await joinedPeer(async () =>
      refusing({ code: "lease_lost", detail: "another peer has it" }),
    );
    await offer(anOffer(LARGE));
    await waitFor(() =>
      expect(mesh.events.filter(({ type }) => type === "task_cancelled")).toHaveLength(1),
    );
    await offer(anOffer("1", 8, { task_id: taskId(2) }));
    await waitFor(() => expect(results()).toMatchObject([{ task_id: taskId(2) }]));
  });

  test("NX17 is no longer fetched when the mesh cancels the task", async () => {
    const { mesh, requests, seen, offer, results } = await joinedPeer(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        ),
    );
    await offer(anOffer(LARGE));
    await waitFor(() => expect(requests).toHaveLength(1));
    await mesh.dispatch({ type: "cancel", taskId: taskId(1), fence: 7, reason: "cancelled" });
    await waitFor(() => expect(requests[0]?.signal.aborted).toBe(true));
    await offer(anOffer("1", 8, { task_id: taskId(2) }));
    await waitFor(() => expect(results()).toMatchObject([{ task_id: taskId(2) }]));
    expect(seen).toHaveLength(1);
  });

  test("NX17 is fetched under the newer attempt that has taken over meanwhile", async () => {
    const asked = Promise.withResolvers<void>();
    const { requests, seen, offer, results } = await joinedPeer(async ({ path }) => {
      if (path.endsWith("/8")) return sealedPayload(LARGE, 8);
      await asked.promise;
      return refusing({ code: "lease_lost", detail: "it is over" });
    });
    await offer(anOffer(LARGE));
    await waitFor(() => expect(requests).toHaveLength(1));
    await offer(anOffer(LARGE, 8));
    asked.resolve();
    await waitFor(() => expect(results()).toMatchObject([{ ok: true, fence: 8 }]));
    expect(seen.map(({ payloadText }) => payloadText)).toEqual([LARGE]);
  });

  test("NX17 counts in the time of its attempt", async () => {
    const { offer, results } = await joinedPeer(() => new Promise(() => {}));
    await offer(anOffer(LARGE, 7, { attempt_timeout_seconds: 0.05 }));
    await waitFor(() =>
      expect(results()).toMatchObject([{ ok: false, error: expect.stringContaining("0.05 s") }]),
    );
  });
});

describe("what a peer with a limit for frames sends", () => {
  const stored = async () => new Response(null, { status: 204 });

  test("NX18 a result of any size fits a frame or is uploaded", async () => {
    let value = "";
    const { mesh, requests, offer, results } = await joinedPeer(stored, {
      handlers: { work: () => value },
    });
    let fence = 10;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("x", "\u0001", "é", "😀"),
        fc.integer({ min: 0, max: 2 * MAX_FRAME }),
        async (character, length) => {
          value = character.repeat(length);
          const bytes = utf8(JSON.stringify(value));
          const [uploads, before] = [requests.length, results().length];
          await offer(anOffer("1", ++fence, { task_id: taskId(fence) }));
          await waitFor(() => expect(results()).toHaveLength(before + 1));
          const result = present(results().at(-1));
          const content = { bytes: bytes.length, sha256: toBase64(sha256(bytes)) };
          if (requests.length === uploads)
            expect(result).toMatchObject({ ok: true, result: exactJsonOf(value) });
          else {
            expect(result).toMatchObject({ ok: true, result: NULL_JSON, uploaded: content });
            expect(bytes.length).toBeGreaterThan(MAX_FRAME - 1_024);
            const sent = present(requests.at(-1)).body;
            expect(await openBytes(sent, uploadKey(secretOf(fence)))).toEqual(bytes);
          }
        },
      ),
      { numRuns: 25 },
    );
    expect(Math.max(...mesh.frameSizes)).toBeLessThanOrEqual(MAX_FRAME);
  });

  test("NX18 an error that does not fit is cut", async () => {
    const { mesh, offer, results } = await joinedPeer(noRequest, {
      maxFrame: MAX_FRAME_LEAST,
      handlers: {
        work: () => {
          throw new TaskError("\u0001".repeat(2_000), { retry: false });
        },
      },
    });
    await offer(anOffer("1"));
    await waitFor(() =>
      expect(results()).toMatchObject([
        { ok: false, retry: false, error: `${"\u0001".repeat(500)}…` },
      ]),
    );
    expect(Math.max(...mesh.frameSizes)).toBeLessThanOrEqual(MAX_FRAME_LEAST);
  });

  test("NX18 a reply that does not fit is an error", async () => {
    const { mesh } = await joinedPeer(noRequest, {
      handlers: { "go-p2p/get_logs": () => "x".repeat(MAX_FRAME) },
    });
    const id = crypto.randomUUID();
    await mesh.dispatch({ type: "call", id, request: "get_logs", payload: NULL_JSON });
    await waitFor(() => expect(mesh.replies).toMatchObject([{ type: "error" }]));
    expect(JSON.stringify(mesh.replies)).toContain("more than can be sent");
  });

  test("NX18 a task that does not fit is refused, with the way that there is; a smaller one is sent", async () => {
    const { mesh, peer } = await joinedPeer(noRequest, { role: "dual" });
    await expect(peer.tasks.submit("work", "x".repeat(MAX_FRAME))).rejects.toMatchObject({
      code: "payload_too_large",
      status: 413,
      message: expect.stringContaining("controller()"),
    });
    void peer.tasks.submit("work", "x".repeat(MAX_FRAME - 2_000)).catch(() => {});
    await waitFor(() =>
      expect(mesh.commands.filter(({ name }) => name === "assign_task")).toHaveLength(1),
    );
    expect(Math.max(...mesh.frameSizes)).toBeLessThanOrEqual(MAX_FRAME);
  });

  test("NX18 an advert that does not fit is not sent", async () => {
    const { mesh, peer } = await joinedPeer(noRequest, { maxFrame: MAX_FRAME_LEAST });
    const known = Array.from({ length: 32 }, (_, n) => ({
      publicKey: toHex(seededRandom(n)(32)),
      address: "a".repeat(200),
    }));
    expect(peer.advertise(known)).toBe(false);
    expect(mesh.events.filter(({ type }) => type === "frame_ignored")).toHaveLength(1);
    expect(Math.max(...mesh.frameSizes)).toBeLessThanOrEqual(MAX_FRAME_LEAST);
  });
});
