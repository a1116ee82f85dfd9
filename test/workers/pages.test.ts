import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { PeerView, PointerView, TaskSummary, type AuditView } from "../../src/protocol/http.ts";
import { submitTask, until } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { call, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

interface Item {
  readonly id: string;
}

type Page = { readonly next_cursor: string | null } & Readonly<Record<string, Item[]>>;

/** The pages of a list, each a list of IDs, by following the cursors; `between` runs after the first page. */
async function pagesOf(
  list: string,
  query: string,
  between: () => Promise<unknown> = async () => undefined,
): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await call<Page>("GET", `/v1/${list}?${query}${more}`);
    expect([status, typeof body.next_cursor]).toEqual([
      200,
      expect.stringMatching(/string|object/),
    ]);
    pages.push((body[list] ?? []).map(({ id }) => id));
    if (pages.length === 1) await between();
    cursor = body.next_cursor;
  }
  return pages;
}

const tasks = async (count: number, kind = "test"): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await submitTask(kind, i)).id);
  return ids;
};

describe("the list of tasks", () => {
  it("HT5 contains each task once, newest first, for every page size", async () => {
    const newestFirst = (await tasks(7)).toReversed();
    for (const limit of [1, 2, 3, 7, 500]) {
      const pages = await pagesOf("tasks", `limit=${limit}`);
      expect(pages.flat()).toEqual(newestFirst);
      expect(pages.map((page) => page.length).slice(0, -1)).toEqual(
        Array.from({ length: pages.length - 1 }, () => limit),
      );
    }
  });

  it("HT5 ends with a full page if no more tasks follow", async () => {
    await tasks(4);
    expect((await pagesOf("tasks", "limit=2")).map((page) => page.length)).toEqual([2, 2]);
    expect(await pagesOf("tasks", "limit=4")).toHaveLength(1);
  });

  it("HT5 is one empty page if there are no tasks", async () => {
    expect(await pagesOf("tasks", "limit=3")).toEqual([[]]);
  });

  it("HT5 repeats and skips no task if tasks are submitted while it is read", async () => {
    const before = await tasks(5);
    const pages = await pagesOf("tasks", "limit=2", () => tasks(3));
    expect(pages.flat()).toEqual(before.toReversed());
  });

  it("HT5 applies its filter to every page", async () => {
    const [odd, even] = [await tasks(3, "odd"), await tasks(3, "even")];
    expect((await pagesOf("tasks", "limit=2&kind=odd")).flat()).toEqual(odd.toReversed());
    await call("DELETE", `/v1/tasks/${even[1]}`);
    expect((await pagesOf("tasks", "limit=1&state=cancelled")).flat()).toEqual([even[1]]);
    expect((await pagesOf("tasks", "limit=1&state=queued&kind=even")).flat()).toEqual([
      even[2],
      even[0],
    ]);
    expect(await pagesOf("tasks", "state=running")).toEqual([[]]);
    expect((await pagesOf("tasks", "limit=2&source=api")).flat()).toHaveLength(6);
    expect(await pagesOf("tasks", "source=webhook:x")).toEqual([[]]);
    expect(await pagesOf("tasks", `peer_id=${"a".repeat(32)}`)).toEqual([[]]);
    expect(await pagesOf("tasks", "created_after=2100-01-01T00:00:00Z")).toEqual([[]]);
    const all = "created_after=2020-01-01T00:00:00%2B01:00&created_before=2100-01-01T00:00:00Z";
    expect((await pagesOf("tasks", all)).flat()).toHaveLength(6);
  });

  it("HT5 shows tasks without their large fields", async () => {
    await submitTask("test", "x".repeat(1_000));
    const { body } = await call<{ tasks: object[] }>("GET", "/v1/tasks");
    expect(() => TaskSummary.strict().parse(body.tasks[0])).not.toThrow();
    expect(body.tasks[0]).not.toHaveProperty("payload");
  });
});

describe("the list of peers", () => {
  it("HT5 contains each peer once, by ID, for every page size", async () => {
    const peers = await Promise.all([1, 2, 3, 4].map(() => GoPeer.join()));
    const ids = peers.map(({ keys }) => keys.id).toSorted();
    for (const limit of [1, 3, 4]) {
      const pages = await pagesOf("peers", `limit=${limit}`);
      expect(pages.flat()).toEqual(ids);
    }
    const { body } = await call<{ peers: object[] }>("GET", "/v1/peers?limit=1");
    expect(() => PeerView.strict().parse(body.peers[0])).not.toThrow();
  });

  it("HT5 applies its filter", async () => {
    const worker = await GoPeer.join();
    const controller = await GoPeer.join({ role: "controller" });
    const left = await GoPeer.join();
    await call("POST", `/v1/peers/${left.keys.id}/revoke`);
    expect((await pagesOf("peers", "state=active&role=worker")).flat()).toEqual([worker.keys.id]);
    expect((await pagesOf("peers", "role=controller")).flat()).toEqual([controller.keys.id]);
    expect((await pagesOf("peers", "state=revoked")).flat()).toEqual([left.keys.id]);
    expect((await pagesOf("peers", "limit=1&role=dual")).flat()).toEqual([]);
  });

  it("HT5 continues after a peer that was removed while it is read", async () => {
    const peers = await Promise.all([1, 2, 3].map(() => GoPeer.join()));
    const ids = peers.map(({ keys }) => keys.id).toSorted();
    const pages = await pagesOf("peers", "limit=1", () => call("DELETE", `/v1/peers/${ids[0]}`));
    expect(pages.flat()).toEqual(ids);
  });
});

/** Publishes pointers of peers that never connected: more than a test could connect. */
const publish = (count: number): Promise<unknown> =>
  runInDurableObject(env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")), (_, state) => {
    for (let i = 0; i < count; i++) {
      state.storage.sql.exec(
        `INSERT INTO pointers (id, epoch, peer_id, state, seq, blob_id, fingerprint, details, metadata, expires_at)
         VALUES (?, 1, ?, 'listed', 1, ?, '', '{}', '{}', ?)`,
        i.toString(16).padStart(32, "0"),
        `peer ${i}`,
        "f".repeat(32),
        Date.now() + 60_000,
      );
    }
  });

describe("the list of pointers", () => {
  it("HT5 contains each pointer once, over several pages", async () => {
    await call("GET", "/v1/pointers");
    await publish(501);
    const ids = Array.from({ length: 501 }, (_, i) => i.toString(16).padStart(32, "0"));
    expect((await pagesOf("pointers", "limit=500")).map((page) => page.length)).toEqual([500, 1]);
    const pages = await pagesOf("pointers", "");
    expect(pages.flat()).toEqual(ids);
    expect(pages).toHaveLength(6);
  });

  it("HT5 contains the pointers of connected peers", async () => {
    const peers = await Promise.all([1, 2, 3].map(() => GoPeer.join()));
    const pages = await until(
      () => pagesOf("pointers", "limit=2"),
      (found) => found.flat().length === peers.length,
    );
    expect(new Set(pages.flat()).size).toBe(peers.length);
    const { body } = await call<{ pointers: object[] }>("GET", "/v1/pointers");
    expect(() => PointerView.strict().parse(body.pointers[0])).not.toThrow();
  });
});

describe("the audit log", () => {
  it("HT5 contains each act once, newest first", async () => {
    for (const label of ["0", "1", "2", "3", "4"])
      await call("POST", "/v1/tokens", { json: { label, scope: "viewer" } });
    const labels: unknown[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? "" : `&cursor=${cursor}`;
      const { body } = await call<{ entries: AuditView[]; next_cursor: string | null }>(
        "GET",
        `/v1/audit?limit=2&act=create_token${more}`,
      );
      labels.push(body.entries.map(({ detail }) => detail["label"]));
      cursor = body.next_cursor;
    } while (typeof cursor === "string");
    expect(labels).toEqual([["4", "3"], ["2", "1"], ["0"]]);
  });
});

describe("a cursor", () => {
  it("HT5 of one list is refused by another list", async () => {
    await tasks(2);
    const { body } = await call<Page>("GET", "/v1/tasks?limit=1");
    problemOf(await call("GET", `/v1/peers?cursor=${body.next_cursor}`), "invalid_request");
  });
});
