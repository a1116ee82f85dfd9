import { describe, expect, test } from "vitest";
import { api, json } from "./fake-api.ts";

const ENTRY = {
  peer_id: "0".repeat(32),
  public_key: null,
  reason: "revoked",
  denied_at: "2030-01-01T00:00:00.000Z",
  denied_by: "admin",
  rotated_to: null,
};

describe("the denylist, in the SDK", () => {
  test("AD31 lists what is barred, page after page, and lifts a revocation", async () => {
    const { mesh, requests } = api(
      json({ entries: [ENTRY], next_cursor: "1-2" }),
      json({ entries: [ENTRY], next_cursor: null }),
      () => new Response(null, { status: 204 }),
    );
    expect(await mesh.denylist.list({ reason: "revoked" }).toArray()).toEqual([ENTRY, ENTRY]);
    await mesh.denylist.remove(ENTRY.peer_id);
    expect(requests.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
      "GET /base/v1/denylist?reason=revoked",
      "GET /base/v1/denylist?reason=revoked&cursor=1-2",
      `DELETE /base/v1/denylist/${ENTRY.peer_id}`,
    ]);
  });
});
