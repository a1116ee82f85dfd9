import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { Input } from "../../../src/contract/commands.ts";
import { EventMapping, type RefusedList } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { seededNumbers } from "../../random.ts";
import { TestMesh } from "../mesh.ts";

type Reported = Input<"report_refusals">["refused"][number];

const CODES = [
  "signature_missing",
  "signature_invalid",
  "signature_stale",
  "payload_too_large",
  "rate_limited",
  "unsupported_media_type",
  "event_unmapped",
  "owner_bytes_full",
  "storage_full",
] as const;

function meshWithSource(...names: string[]): TestMesh {
  const mesh = new TestMesh();
  for (const name of names) put(mesh, name);
  return mesh;
}

const put = (mesh: TestMesh, name: string): void =>
  void mesh.run("put_webhook_source", {
    name,
    scheme: "github",
    maxBytes: null,
    maxBodyBytes: null,
    identity: null,
    signature: null,
    sealedSecrets: ["c2VhbGVk"],
    mapping: EventMapping.parse({ kind: "build" }),
    filters: [],
  });

const idOf = (mesh: TestMesh, name: string): string => mesh.run("open_webhook_source", { name }).id;

function report(mesh: TestMesh, more: Partial<Reported> = {}): void {
  const source = more.source ?? "ci";
  const refused: Reported = {
    source,
    sourceId: more.sourceId ?? idOf(mesh, source),
    code: "signature_invalid",
    detail: "the signature does not match",
    recorded: false,
    firstAt: mesh.now,
    lastAt: mesh.now,
    count: 1,
    method: "POST",
    headers: { "user-agent": "sender/1" },
    address: "192.0.2.1",
    bytes: 17,
    ...more,
  };
  mesh.run("report_refusals", { refused: [refused], unknownSources: null });
}

const listed = (mesh: TestMesh, source = "ci"): RefusedList["refused"] =>
  mesh.run("list_refused", { source }).refused;

describe("refused deliveries", () => {
  test("WH60 are listed with reason, times, sender and size, and no body", () => {
    const mesh = meshWithSource("ci");
    report(mesh);
    expect(listed(mesh)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        first_at: "2026-01-01T00:00:00.000Z",
        last_at: "2026-01-01T00:00:00.000Z",
        count: 1,
        code: "signature_invalid",
        detail: "the signature does not match",
        status: 401,
        in_deliveries: false,
        method: "POST",
        headers: { "user-agent": "sender/1" },
        address: "192.0.2.1",
        bytes: 17,
      },
    ]);
    expect(mesh.errorOf("list_refused", { source: "other" }).code).toBe("not_found");
  });

  test("WH61 for the same reason within an hour are one entry, which shows the newest", () => {
    const mesh = meshWithSource("ci");
    report(mesh, { count: 5 });
    mesh.advanceClock(59 * MINUTE);
    report(mesh, { address: "192.0.2.9", count: 2 });
    const [entry] = listed(mesh);
    expect(entry).toMatchObject({ count: 7, address: "192.0.2.9" });
    expect(entry?.first_at).toBe("2026-01-01T00:00:00.000Z");
    expect(entry?.last_at).toBe("2026-01-01T00:59:00.000Z");
    mesh.advanceClock(MINUTE);
    report(mesh);
    report(mesh, { code: "signature_missing" });
    report(mesh, { recorded: true });
    expect(listed(mesh).map(({ count }) => count)).toEqual([1, 1, 1, 7]);
  });

  test("WH61 whatever strangers send, a source has 20 entries at most, and each reason its newest one", () => {
    const random = seededNumbers(11);
    const mesh = meshWithSource("ci", "other");
    report(mesh, { code: "storage_full", detail: "once" });
    report(mesh, { source: "other", detail: "of the other" });
    for (let n = 0; n < 400; n++) {
      mesh.advanceClock(random() * 2 * HOUR * 0.1);
      report(mesh, { code: present(CODES[Math.floor(random() * 5)]) });
    }
    const entries = listed(mesh);
    expect(entries).toHaveLength(20);
    expect(entries.find(({ code }) => code === "storage_full")?.detail).toBe("once");
    expect(listed(mesh, "other")).toMatchObject([{ detail: "of the other" }]);
    const times = entries.map(({ last_at }) => last_at);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test("WH60 are listed for 7 days after the last one", () => {
    const mesh = meshWithSource("ci");
    report(mesh);
    mesh.advanceClock(7 * DAY - SECOND);
    expect(listed(mesh)).toHaveLength(1);
    mesh.advanceClock(SECOND);
    expect(listed(mesh)).toEqual([]);
  });

  test("WH32 a source that is created again under its name has no refused delivery of the earlier one, nor one reported late", () => {
    const mesh = meshWithSource("ci");
    const sourceId = idOf(mesh, "ci");
    report(mesh);
    mesh.run("remove_webhook_source", { name: "ci" });
    expect(mesh.rows(`SELECT * FROM webhook_refusals`)).toEqual([]);
    report(mesh, { sourceId });
    put(mesh, "ci");
    report(mesh, { sourceId });
    expect(listed(mesh)).toEqual([]);
  });

  test("WH64 to names that no source has are one number for the whole mesh", () => {
    const mesh = meshWithSource("ci");
    const count = (n: number): void =>
      mesh.run("report_refusals", {
        refused: [],
        unknownSources: { firstAt: mesh.now, lastAt: mesh.now, count: n },
      }) as never;
    expect(mesh.run("list_refused", { source: "ci" }).unknown_sources).toBeNull();
    count(3);
    mesh.advanceClock(3 * DAY);
    count(4);
    expect(mesh.run("list_refused", { source: "ci" })).toEqual({
      refused: [],
      unknown_sources: {
        first_at: "2026-01-01T00:00:00.000Z",
        last_at: "2026-01-04T00:00:00.000Z",
        count: 7,
      },
    });
    expect(mesh.rows(`SELECT * FROM webhook_refusals`)).toHaveLength(1);
    mesh.advanceClock(7 * DAY);
    expect(mesh.run("list_refused", { source: "ci" }).unknown_sources).toBeNull();
  });

  test("WH61 add no row to a database that is nearly full", () => {
    const mesh = new TestMesh({ config: { storage: { limit: 1, payloadRetention: DAY } } });
    // The source is older than the fullness.
    mesh.registry.transaction(() =>
      mesh.registry.webhookSources.put({
        name: "ci",
        id: "1",
        scheme: "github",
        maxBytes: null,
        maxBodyBytes: null,
        identity: null,
        signature: null,
        sealedSecrets: ["c2VhbGVk"],
        mapping: EventMapping.parse({ kind: "build" }),
        filters: [],
        revision: 1,
        createdAt: mesh.now,
        deliveries: 0,
      }),
    );
    report(mesh);
    expect(mesh.rows(`SELECT * FROM webhook_refusals`)).toEqual([]);
  });
});
