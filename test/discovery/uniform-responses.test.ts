import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import * as primitives from "../../src/crypto/primitives/hashes.ts";
import { readerToken } from "../../src/discovery/epoch-secrets.ts";
import { EPOCH_LIFETIME } from "../../src/protocol/constants.ts";
import type { Sql } from "../../src/registry/sql.ts";
import type { AppContext } from "../../workers/context.ts";
import { GatewayMemory } from "../../workers/gateway-memory.ts";
import { readDiscovery } from "../../workers/discovery-access.ts";
import { KEYS, TestMesh } from "../coordinator/mesh.ts";
import { hexBytes, must, present } from "../must.ts";
import { nodeSql } from "../node-sql.ts";

afterEach(() => void vi.restoreAllMocks());

const ADMIN_TOKEN = "the-administrators-token";
const ABSENT = "0".repeat(32);

/** A mesh, called as the gateway calls it, whose SQL statements are counted. */
function meshUnderCount() {
  const inner = nodeSql();
  const statements: string[] = [];
  const sql: Sql = {
    exec: (query, ...bindings) => {
      statements.push(query.trim().replaceAll(/\s+/g, " "));
      return inner.exec(query, ...bindings);
    },
    transaction: (body) => inner.transaction(body),
    size: () => inner.size(),
  };
  const mesh = new TestMesh({ sql });
  mesh.join(KEYS[0]);
  const pointer = present(mesh.pointers[0]).id;
  const { token, id } = mesh.run("create_token", { label: "", scope: "viewer" });
  const [epoch] = mesh.discoveryKeys().epochs;
  const reader = readerToken(hexBytes(present(epoch).pointer_secret));

  const memory = new GatewayMemory();
  async function cost(shown: string | null, asked: string) {
    statements.length = 0;
    const spies = (["hmacSha256", "hkdfSha256", "sha256"] as const).map((name) =>
      vi.spyOn(primitives, name).mockClear(),
    );
    const context = {
      var: {
        config: {
          adminToken: ADMIN_TOKEN,
          discoveryPublic: false,
          perMinute: { discovery: 1_000 },
          coordinator: { credentialKey: mesh.config.credentialKey },
        },
        address: "",
        memory,
        coordinator: {
          call: async (name: "read_discovery", input: never) => mesh.execute(name, input).result,
        },
      },
      req: { header: () => (shown === null ? undefined : `Bearer ${shown}`) },
    } as unknown as AppContext;
    const { allowed, pointer: found } = must(await readDiscovery(context, asked));
    return {
      answered: allowed && found !== null,
      statements: [...statements],
      macs: spies.map(({ mock }) => mock.calls.length),
    };
  }
  return { mesh, pointer, token, tokenId: id, reader, cost };
}

let under: ReturnType<typeof meshUnderCount>;
beforeEach(() => {
  under = meshUnderCount();
});

describe("missing, expired and forbidden discovery documents", () => {
  test("DS17 missing, expired and forbidden pointers cost the same reads and MACs", async () => {
    const { cost, pointer, token, tokenId, reader, mesh } = under;
    const absent = await cost(token, ABSENT);
    expect(absent.answered).toBe(false);
    expect(absent.statements.length).toBeGreaterThan(2);
    expect(absent.macs[0]).toBeGreaterThan(1);
    const refused: [string | null, string][] = [
      [ADMIN_TOKEN, ABSENT],
      [reader, ABSENT],
      [null, pointer],
      [null, ABSENT],
      ["", pointer],
      ["nonsense", pointer],
      [`${ADMIN_TOKEN}x`, pointer],
      [token.replace(/.$/, (last) => (last === "0" ? "1" : "0")), pointer],
      [`mst_${"0".repeat(96)}`, pointer],
      [toHex(new Uint8Array(32)), pointer],
      [reader.replace(/.$/, (last) => (last === "0" ? "1" : "0")), pointer],
    ];
    for (const [shown, asked] of refused)
      expect([shown, await cost(shown, asked)]).toEqual([shown, absent]);
    mesh.run("revoke_token", { id: tokenId });
    expect(await cost(token, pointer)).toEqual(absent);
    mesh.advanceClock(EPOCH_LIFETIME);
    expect(await cost(ADMIN_TOKEN, pointer)).toEqual(absent);
    expect(await cost(reader, pointer)).toEqual(absent);
  });

  test("DS18 discovery is readable with an API token, the operator's token or the epoch's reader token", async () => {
    const { cost, pointer, token, reader } = under;
    for (const shown of [token, ADMIN_TOKEN, reader])
      expect((await cost(shown, pointer)).answered).toBe(true);
  });
});
