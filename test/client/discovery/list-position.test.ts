import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { positionFault } from "../../../src/client/discovery/list-position.ts";
import { PointerQuery, type PointerList } from "../../../src/protocol/http.ts";
import { testKey } from "../../coordinator/mesh.ts";
import { ReplicatedMesh } from "../../discovery/replicated-mesh.ts";
import { present } from "../../must.ts";

const PEERS = 12;
let scene: ReplicatedMesh;
beforeAll(async () => {
  scene = await ReplicatedMesh.withPeers(
    ...Array.from({ length: PEERS }, (_, at) => testKey(600 + at)),
  );
});

type Query = Readonly<Record<string, string | number>>;
type Source = (query: Query) => Promise<PointerList>;
const SOURCES: Readonly<Record<string, Source>> = {
  mesh: async (query) => scene.mesh.listPointers(PointerQuery.parse(query)),
  replica: async (query) => present(await scene.replica.list(PointerQuery.parse(query))),
};

/** Every page of the list and of the changes since the beginning, each with its query. */
async function pagesOf(source: Source, limit: number) {
  const pages: { readonly query: Query; readonly list: PointerList }[] = [];
  const read = async (query: Query) => {
    const list = await source(query);
    pages.push({ query, list });
    return list.next_cursor;
  };
  for (let cursor = await read({ limit }); cursor !== null;) cursor = await read({ limit, cursor });
  for (let since: string | null = "0"; since !== null;) since = await read({ limit, since });
  return pages;
}

describe("the position of a page", () => {
  test.each(Object.keys(SOURCES))("DS74 is right in every page of a %s", async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: PEERS + 1 }), async (limit) => {
        const pages = await pagesOf(present(SOURCES[name]), limit);
        for (const { query, list } of pages) expect(positionFault(query, list)).toBeNull();
      }),
      { numRuns: 20 },
    );
  });

  test("DS74 is wrong when a page is repeated, ends elsewhere, or names another next page", async () => {
    const pages = await pagesOf(present(SOURCES["mesh"]), 3);
    const list = present(pages[0]).list;
    const changes = present(pages.find(({ query }) => query["since"] === "0")).list;
    const rest = present(pages.at(-1)).list;
    const last = present(list.pointers.at(-1)).id;
    const wrong: readonly (readonly [Query, PointerList])[] = [
      [{ cursor: last }, list],
      [{ cursor: "f".repeat(32) }, list],
      [{}, { ...list, next_cursor: "f".repeat(32) }],
      [{}, { ...list, pointers: [] }],
      [{}, { ...list, pointers: list.pointers.toReversed() }],
      [{}, { ...list, since: "0" }],
      [{}, { ...list, since: String(list.checkpoint.seq + 1) }],
      [{ since: changes.since }, changes],
      [{ since: "0" }, { ...changes, since: "1" }],
      [{ since: "0" }, { ...changes, since: "1", next_cursor: "1" }],
      [{ since: "0" }, { ...changes, pointers: [], removed: [] }],
      [{ since: "0" }, { ...rest, since: "0" }],
    ];
    for (const [query, page] of wrong) expect(positionFault(query, page)).not.toBeNull();
  });
});
