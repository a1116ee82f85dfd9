import { describe, expect, test, vi } from "vitest";
import { controller } from "../../src/client/clients/mesh-client.ts";
import {
  explainRefusedUpgrade,
  fetchMeshKey,
} from "../../src/client/connection/upgrade-failure.ts";
import { provedMesh } from "../../src/client/connection/proved-mesh.ts";
import { DiscoverySources } from "../../src/client/discovery/discovery-sources.ts";
import type { Fetch } from "../../src/client/http/api.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { fetchResult } from "../../src/client/tasks/read-result.ts";
import type { Task } from "../../src/client/tasks/task.ts";
import { uploadResult } from "../../src/client/work/upload-result.ts";
import { toHex } from "../../src/base/bytes.ts";
import { waitFor } from "../wait-for.ts";
import { ID, task } from "./fake-api.ts";
import { FakeMesh } from "./fake-mesh.ts";

const KiB = 1_024;
const MiB = 1_024 * KiB;
const CHUNK = 64 * KiB;
const URL_BASE = "http://mesh.test";
const KEY = toHex(generateIdentity().publicKey);
const SECRET = `${"0".repeat(32)}.${"ab".repeat(32)}`;
const NO_END = { kind: "dropped", code: 1006, reason: "" } as const;

const mesh = (fetch: Fetch) => controller({ url: URL_BASE, token: "secret", fetch });
const replica = (fetch: Fetch) => new DiscoverySources([URL_BASE], async () => "token", fetch);

/** Everything in the SDK that reads an HTTP answer, with the most that it reads of one. */
const READERS: readonly (readonly [string, number, (fetch: Fetch) => Promise<unknown>])[] = [
  ["a task", 16 * MiB, (fetch) => mesh(fetch).tasks.get(ID)],
  ["a page of pointers", 16 * MiB, (fetch) => replica(fetch).list({}, async () => {})],
  ["a proof of the mesh's key", 16 * MiB, (fetch) => provedMesh(URL_BASE, fetch, KEY)],
  ["a result", 25 * MiB, (fetch) => mesh(fetch).tasks.result(ID)],
  [
    "a result for a session",
    25 * MiB + 2 * KiB,
    (fetch) => {
      const shown = { ...task("succeeded"), result_bytes: 1, result_sha256: "" } as unknown as Task;
      return fetchResult({
        url: URL_BASE,
        fetch,
        task: shown,
        secret: SECRET,
        privateKey: undefined,
        fetched: {},
      });
    },
  ],
  ["a record", 64 * KiB, (fetch) => mesh(fetch).discovery.blob("b")],
  ["a record of a replica", 64 * KiB, (fetch) => replica(fetch).blob("b", (bytes) => bytes)],
  ["the mesh's key", 64 * KiB, (fetch) => fetchMeshKey(URL_BASE, "muster/2", fetch)],
  [
    "the reason of a refused dial",
    64 * KiB,
    (fetch) =>
      explainRefusedUpgrade(URL_BASE, `${URL_BASE}/v1/connect`, NO_END, KEY, {
        fetch,
        now: Date.now,
      }),
  ],
];

/** An answer whose body has no end, and what was read of it. */
function endless(status: number) {
  const seen = { bytes: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>({
    pull: (stream) => {
      seen.bytes += CHUNK;
      // A reader without a limit must fail the test, not fill the memory.
      if (seen.bytes > 64 * MiB) stream.close();
      else stream.enqueue(new Uint8Array(CHUNK).fill(0x20));
    },
    cancel: () => void (seen.cancelled = true),
  });
  return { seen, fetch: (() => Promise.resolve(new Response(body, { status }))) as Fetch };
}

describe("a server whose answers have no end", () => {
  test.each(READERS)("RC23 %s is given up after %d bytes", async (_, max, read) => {
    const { seen, fetch } = endless(200);
    await read(fetch).catch(() => {});
    expect(seen.cancelled).toBe(true);
    expect(seen.bytes).toBeGreaterThanOrEqual(max);
    expect(seen.bytes).toBeLessThanOrEqual(max + 2 * CHUNK);
  });

  test.each(READERS)(
    "RC23 a problem document in place of %s is given up after 64 KiB",
    async (_, __, read) => {
      const { seen, fetch } = endless(403);
      await read(fetch).catch(() => {});
      expect(seen.cancelled).toBe(true);
      expect(seen.bytes).toBeLessThanOrEqual(64 * KiB + 2 * CHUNK);
    },
  );
});

describe("a server that redirects", () => {
  const upload = (fetch: Fetch) =>
    uploadResult(URL_BASE, fetch, {
      taskId: ID,
      fence: 1,
      secret: SECRET,
      bytes: new Uint8Array(8),
      signal: new AbortController().signal,
    });

  test.each([...READERS, ["an upload", 0, upload] as const])(
    "RC23 is not followed for %s",
    async (_, __, read) => {
      const fetch = vi.fn<Fetch>(async () =>
        Promise.resolve(
          new Response(null, { status: 307, headers: { location: "http://evil.test/" } }),
        ),
      );
      await read(fetch).catch(() => {});
      expect(fetch).toHaveBeenCalledExactlyOnceWith(
        expect.stringMatching(/^http:\/\/mesh\.test\//),
        expect.objectContaining({ redirect: "manual" }),
      );
    },
  );
});

describe("a server that has proved no key", () => {
  /** A peer whose socket to the server has just opened. */
  function opened(protocol: "muster/2" | "go-p2p/1.0") {
    const sockets = new FakeMesh();
    const peer = sockets.connect({ protocol, meshKey: KEY });
    peer.ready.catch(() => {});
    return { sockets, peer };
  }

  test.each([
    ["a frame of 8,193 bytes", [new Uint8Array(8_193)]],
    ["a frame of 16 MiB", [new Uint8Array(16 * MiB)]],
    ["a text of 8,193 characters", ["x".repeat(8_193)]],
    ["two frames", [new Uint8Array(96), new Uint8Array(96)]],
    ["a text, then a frame", ["pong", new Uint8Array(96)]],
  ] as const)("RC24 is disconnected over muster.2 when it sends %s", async (_, frames) => {
    const { sockets, peer } = opened("muster/2");
    await waitFor(() => expect(sockets.sessions).toHaveLength(1));
    const { socket } = sockets.lastSession;
    socket.readyState = 1;
    socket.emit("open", {});
    for (const frame of frames)
      socket.emit("message", { data: typeof frame === "string" ? frame : frame.slice().buffer });
    const reason = "the server sent more than one handshake message";
    await waitFor(() => expect(sockets.eventsOf("disconnected")).toMatchObject([{ reason }]));
    expect(socket.closedWith).not.toBeNull();
    await peer.close();
  });

  test("RC24 is disconnected over go-p2p when its answer has more than 16 KiB", async () => {
    const { sockets, peer } = opened("go-p2p/1.0");
    sockets.lastSession.open();
    sockets.lastSession.text(" ".repeat(16 * KiB + 1));
    const reason = "the answer to the handshake is too large";
    expect(sockets.eventsOf("disconnected")).toMatchObject([{ reason }]);
    await peer.close();
  });
});
