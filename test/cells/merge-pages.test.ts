import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { err, ok } from "../../src/base/result.ts";
import { comparePlaces, type ListPlace } from "../../src/cells/list-place.ts";
import {
  LIST_START,
  readPosition,
  writePosition,
  type ListPosition,
} from "../../src/routing/list-position.ts";
import { mergedPage, type ReadPart } from "../../src/routing/merge-pages.ts";
import { must } from "../must.ts";

const DOWN = { code: "unavailable", detail: "does not answer" } as const;

/** Cells that have parts of a list. */
class FakeCells {
  readonly items = new Map<string, { place: ListPlace; cell: number }>();
  readonly down = new Set<number>();
  cells: number;

  constructor(cells: number) {
    this.cells = cells;
  }

  add(place: ListPlace, cell: number): void {
    this.items.set(place.id, { place, cell });
  }

  read: ReadPart<string> = async (cell, after, limit) => {
    if (this.down.has(cell)) return err(DOWN);
    const own = [...this.items.values()]
      .filter((item) => item.cell === cell && comparePlaces(item.place, after) > 0)
      .toSorted((a, b) => comparePlaces(a.place, b.place));
    const items = own.slice(0, limit).map(({ place }) => ({ place, cell, value: place.id }));
    return ok({ items, hasMore: own.length > limit });
  };

  async page(position: ListPosition, limit: number) {
    const cells = Array.from({ length: this.cells }, (_, cell) => cell);
    return must(await mergedPage(cells, position, limit, this.read, (a) => a));
  }
}

const Items = fc
  .array(fc.record({ at: fc.nat(12), cell: fc.nat(4) }), { maxLength: 60 })
  .map((all) => all.map(({ at, cell }, n) => ({ place: { at, id: `i${n}` }, cell })));

/** What happens between two pages. */
const Between = fc.record({
  down: fc.option(fc.nat(4)),
  moved: fc.option(fc.tuple(fc.nat(59), fc.nat(4))),
  removed: fc.option(fc.nat(59)),
  added: fc.option(fc.nat(4)),
  joins: fc.boolean(),
});

describe("a list of several cells", () => {
  it("CE40 is in the order of the places, and its pages are full until the last one", async () => {
    await fc.assert(
      fc.asyncProperty(Items, fc.integer({ min: 1, max: 20 }), async (items, limit) => {
        const cells = new FakeCells(5);
        for (const { place, cell } of items) cells.add(place, cell);
        const wanted = items
          .map(({ place }) => place)
          .toSorted(comparePlaces)
          .map(({ id }) => id);
        const shown: string[] = [];
        for (let position: ListPosition | null = LIST_START; position !== null;) {
          const page = await cells.page(position, limit);
          shown.push(...page.items);
          if (page.next !== null) expect(page.items).toHaveLength(limit);
          expect(page.missing).toEqual([]);
          position = page.next;
        }
        expect(shown).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it("CE41 shows what stays once, whatever is added, removed and moved between its pages, and while cells join or are down", async () => {
    await fc.assert(
      fc.asyncProperty(
        Items,
        fc.array(Between, { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        async (items, changes, limit) => {
          const cells = new FakeCells(5);
          for (const { place, cell } of items) cells.add(place, cell);
          const removed = new Set<string>();
          const shown: string[] = [];
          let position: ListPosition | null = LIST_START;
          let last: readonly number[] = [];
          for (let page = 0; position !== null; page++) {
            const change = changes[page];
            cells.down.clear();
            if (change !== undefined) {
              if (change.joins && cells.cells < 8) cells.cells++;
              const isMoving = change.moved !== null && change.down === null && !everDown(position);
              if (isMoving && change.moved !== null) {
                const item = cells.items.get(`i${change.moved[0]}`);
                if (item !== undefined)
                  item.cell = cells.cells - 1 - (change.moved[1] % cells.cells);
              }
              if (change.removed !== null) {
                removed.add(`i${change.removed}`);
                cells.items.delete(`i${change.removed}`);
              }
              if (change.added !== null)
                cells.add({ at: 6, id: `n${page}` }, change.added % cells.cells);
              if (change.down !== null) cells.down.add(change.down);
            }
            const cursor: string = writePosition(position);
            const read = readPosition(cursor);
            expect(read).toEqual(position);
            const merged = await cells.page(read as ListPosition, limit);
            shown.push(...merged.items);
            last = merged.missing;
            position = merged.next;
          }
          expect(new Set(shown).size).toBe(shown.length);
          if (last.length > 0) return; // the end says itself what it lacks
          for (const { place } of items)
            if (!removed.has(place.id)) expect(shown).toContain(place.id);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("CE42 names the cells that do not answer, and is an error if none does", async () => {
    const cells = new FakeCells(3);
    cells.add({ at: 1, id: "a" }, 0);
    cells.add({ at: 2, id: "b" }, 1);
    cells.down.add(1);
    expect(await cells.page(LIST_START, 5)).toMatchObject({ items: ["a"], missing: [1] });
    cells.down.add(0).add(2);
    const all = [0, 1, 2];
    expect(await mergedPage(all, LIST_START, 5, cells.read, (a) => a)).toEqual(err(DOWN));
  });

  it("CE43 shows an item that two cells have once, and the better of the two", async () => {
    const item = (cell: number) => ({ place: { at: 1, id: "a" }, cell, value: `of ${cell}` });
    const read: ReadPart<string> = async (cell) => ok({ items: [item(cell)], hasMore: false });
    const page = await mergedPage([0, 1, 2], LIST_START, 5, read, (a, b) => (b.cell === 1 ? b : a));
    expect(page).toMatchObject({ value: { items: ["of 1"], next: null } });
  });

  it("CE44 has cursors of at most 4,096 characters, and reads no other text as one", () => {
    const place = (cell: number) => ({ at: 10 ** 14 + cell, id: `${"0".repeat(34)}${cell + 10}` });
    const behind = new Map(Array.from({ length: 64 }, (_, cell) => [cell, place(cell)]));
    const longest = writePosition({ place: { at: 9, id: "z" }, behind });
    expect(longest.length).toBeLessThanOrEqual(4_096);
    expect(readPosition(longest)?.behind).toEqual(behind);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^c:[0-9a-f~.-]{0,40}$/)), (text) => {
        const position = readPosition(text);
        if (position !== null) expect(writePosition(position)).toBe(text);
      }),
    );
    for (const text of ["", "c:1", "c:01-a", "c:~1-a.40", "c:1-a~.0", "c:1-a~.01~.02"])
      expect(readPosition(text)).toBeNull();
  });
});

/** Whether a cell has been left behind: what moves out of it then may be passed over until the list is read again. */
const everDown = ({ behind }: ListPosition): boolean => behind.size > 0;
