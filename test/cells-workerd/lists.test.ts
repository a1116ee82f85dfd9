import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import {
  AuditList,
  BulkView,
  PeerList,
  StorageView,
  TaskList,
  TaskStats,
  WhyView,
} from "../../src/protocol/http.ts";
import { api } from "../durable/api.ts";
import { NoisePeer } from "../durable/noise-peer.ts";

afterEach(async () => {
  await reset();
});

const submit = async (): Promise<string> =>
  (await api<{ id: string }>("POST", "/v1/tasks", { kind: "echo" })).body.id;

const submitMany = (count: number) => Promise.all(Array.from({ length: count }, submit));

describe("the HTTP API of a mesh of four cells", () => {
  it("CE40 CE41 lists the tasks and peers of all cells, page by page", async () => {
    const ids = await submitMany(40);
    expect(new Set(ids.map(cellOfTask)).size).toBeGreaterThan(1);
    const shown: string[] = [];
    let query = "?limit=9";
    for (;;) {
      const page = TaskList.parse((await api("GET", `/v1/tasks${query}`)).body);
      expect(page).not.toHaveProperty("missing_cells");
      shown.push(...page.tasks.map(({ id }) => id));
      if (page.next_cursor === null) break;
      if (shown.length === 9) ids.push(await submit());
      query = `?limit=9&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
    const first = ids.slice(0, 40);
    expect(new Set(shown).size).toBe(shown.length);
    for (const id of first) expect(shown).toContain(id);

    const peers = await Promise.all(Array.from({ length: 12 }, () => NoisePeer.join()));
    const list = PeerList.parse((await api("GET", "/v1/peers")).body);
    expect(list.peers.map(({ id }) => id)).toEqual(peers.map(({ keys }) => keys.id).toSorted());
  });

  it("CE44 refuses a member that only the routes set, and cursors that no page has given", async () => {
    for (const query of ["after=1-a", "cursor=c:1", "cursor=12x", `cursor=${"9".repeat(4_097)}`])
      expect((await api("GET", `/v1/tasks?${query}`)).status).toBe(400);
  });

  it("CE46 CE50 adds what the cells have, and says which cell has a task", async () => {
    const ids = await submitMany(24);
    const stats = TaskStats.parse((await api("GET", "/v1/tasks/stats")).body);
    expect(stats.waiting).toBe(24);
    const storage = StorageView.parse((await api("GET", "/v1/mesh/storage")).body);
    expect(storage.limit_bytes % 4).toBe(0);
    for (const id of ids.slice(0, 6)) {
      const why = WhyView.parse((await api("GET", `/v1/tasks/${id}/why`)).body);
      expect(why.cells?.considered).toContain(why.cells?.cell);
    }
  });

  it("CE47 CE48 cancels tasks of every cell by filter and by name", async () => {
    const ids = await submitMany(24);
    const cancel = async (body: object): Promise<number> => {
      let count = 0;
      for (let cursor: string | undefined; ;) {
        const asked = { ...body, ...(cursor !== undefined && { cursor }) };
        const piece = BulkView.parse((await api("POST", "/v1/tasks/cancel", asked)).body);
        count += piece.count;
        if (piece.next_cursor === null) return count;
        cursor = piece.next_cursor;
      }
    };
    expect(await cancel({ ids: ids.slice(0, 10) })).toBe(10);
    expect(await cancel({ filter: { kind: "echo" } })).toBe(14);
    const audit = AuditList.parse((await api("GET", "/v1/audit?act=cancel_tasks")).body);
    expect(audit.entries.length).toBeGreaterThan(1);
  });

  it("CE49 refuses exports and imports, and says what to do", async () => {
    const refused = await api<{ detail: string }>("GET", "/v1/export");
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain("muster backup --dir");
  });
});
