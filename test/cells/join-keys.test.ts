import { describe, expect, it } from "vitest";
import { homeOf } from "../../src/cells/topology.ts";
import { testKey, type Key } from "../coordinator/keys.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { codeOf, join, startedMesh } from "./mesh-facts.ts";

const KEYS = Array.from({ length: 12 }, (_, n) => testKey(700 + n));

/** A mesh of four cells that admits only listed keys, and a join key. */
async function meshWithKey(uses: number) {
  const mesh = await startedMesh(new CellMesh({ cells: 4, config: { authMode: "allowlist" } }));
  const input = { label: "team", roles: ["worker" as const], uses, expires_seconds: 3_600 };
  const { id, key } = must(await mesh.call("create_join_key", input));
  const usesLeft = async () =>
    must(await mesh.call("list_join_keys", {})).join_keys.find((each) => each.id === id)?.uses_left;
  return { mesh, id, joinKey: key, usesLeft };
}

const elsewhere = (mesh: CellMesh): Key =>
  KEYS.find(({ id }) => homeOf(mesh.known, id) !== 0) as Key;

describe("join keys in a mesh of several cells", () => {
  it("CE27 admit as many peers as they have uses, whichever cells these belong to", async () => {
    const { mesh, joinKey, usesLeft } = await meshWithKey(5);
    const codes: string[] = [];
    for (const key of KEYS) codes.push(codeOf(await join(mesh, key, { joinKey })));
    expect(codes).toEqual(KEYS.map((_, n) => (n < 5 ? "ok" : "join_key_invalid")));
    expect(await usesLeft()).toBe(0);
    const cells = new Set(KEYS.slice(0, 5).map(({ id }) => homeOf(mesh.known, id)));
    expect(cells.size).toBeGreaterThan(1);
  });

  it("CE27 a use whose answer was lost is not counted again, and the peer is listed in its cell", async () => {
    const { mesh, joinKey, usesLeft } = await meshWithKey(1);
    const key = elsewhere(mesh);
    mesh.transport.faultOf = (_, names) =>
      names.includes("redeem_join_key") ? "answer_lost" : "none";
    expect(codeOf(await join(mesh, key, { joinKey }))).toBe("unavailable");
    expect(await usesLeft()).toBe(0);
    mesh.transport.faultOf = () => "none";
    expect(codeOf(await join(mesh, key, { joinKey }))).toBe("ok");
    const { registry } = mesh.cellOf(homeOf(mesh.known, key.id));
    expect(registry.allowlist.get(key.publicKey)).toMatchObject({ label: "team" });
  });

  it("CE27 a peer that has lost its entry can't come back by the use that it has had", async () => {
    const { mesh, joinKey } = await meshWithKey(1);
    const key = elsewhere(mesh);
    expect(codeOf(await join(mesh, key, { joinKey }))).toBe("ok");
    await mesh.settle(2);
    must(await mesh.call("disallow", { publicKey: key.publicKey }));
    expect(codeOf(await join(mesh, key, { joinKey }))).toBe("join_key_invalid");
  });

  it("CE27 a revoked key admits nobody, also one to whom a use was granted", async () => {
    const { mesh, id, joinKey } = await meshWithKey(1);
    const key = elsewhere(mesh);
    mesh.transport.faultOf = (_, names) =>
      names.includes("redeem_join_key") ? "answer_lost" : "none";
    await join(mesh, key, { joinKey });
    mesh.transport.faultOf = () => "none";
    must(await mesh.call("revoke_join_key", { id }));
    expect(codeOf(await join(mesh, key, { joinKey }))).toBe("join_key_invalid");
  });

  it("CE28 without cell 0 a peer that shows a join key is to try again, and all others are admitted", async () => {
    const { mesh, joinKey } = await meshWithKey(5);
    const listed = elsewhere(mesh);
    must(await mesh.call("allow", { ...entryOf(listed), label: "", roles: ["worker"] } as never));
    mesh.transport.down.add(0);
    const other = KEYS.find((key) => key !== listed && homeOf(mesh.known, key.id) !== 0) as Key;
    expect(codeOf(await join(mesh, other, { joinKey }))).toBe("unavailable");
    expect(codeOf(await join(mesh, listed, { joinKey }))).toBe("ok");
    expect(codeOf(await join(mesh, other))).toBe("not_allowed");
  });
});

const entryOf = ({ id, publicKey }: Key) => ({
  peerId: id,
  publicKey,
  readmit: false,
  go_p2p: false,
});
