import { expect } from "vitest";
import { DAY, HOUR } from "../../src/base/clock.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { aPeer, aPointer } from "./records.ts";
import type { RegistryCase } from "./registry-case.ts";

const T = 1_767_225_600_000;

/** The contract of discovery's tables. */
export const DISCOVERY_TABLES: readonly RegistryCase[] = [
  {
    name: "a peer has one pointer per epoch, which is found until it expires",
    run(open) {
      const { pointers } = openRegistry(open());
      const pointer = aPointer({ id: "b", peerId: "p" });
      pointers.put(aPointer({ id: "b", peerId: "p", blobId: "before" }));
      pointers.put(pointer);
      const next = aPointer({ id: "c", peerId: "p", epoch: 2 });
      pointers.put(next);
      pointers.put(aPointer({ id: "a", peerId: "q" }));
      expect(pointers.ofPeer("p")).toEqual([pointer, next]);
      const page = { now: T, filter: {}, limit: 9 };
      const ids = (after: string, more = {}) =>
        pointers.list({ ...page, ...more }, after).map(({ id }) => id);
      expect(ids("")).toEqual(["a", "b", "c"]);
      expect(ids("", { limit: 1 })).toEqual(["a"]);
      expect(ids("a")).toEqual(["b", "c"]);
      expect(ids("", { now: pointer.expiresAt })).toEqual([]);
      expect(pointers.find("c", T)).toEqual(next);
      expect(pointers.find("c", next.expiresAt)).toBeNull();
      expect(() => pointers.put(aPointer({ id: "d", peerId: "p", epoch: 2 }))).toThrow();
      pointers.remove("b");
      expect(pointers.ofPeer("p")).toEqual([next]);
    },
  },
  {
    name: "a sample contains unexpired pointers of active peers, except the caller's own",
    run(open) {
      const { peers, pointers } = openRegistry(open());
      const expiresAt = T + 10;
      const states = ["active", "active", "active", "suspect", "stale", "active"] as const;
      for (const [n, state] of states.entries()) {
        const id = `peer-${n}`;
        peers.put(aPeer({ id, state }));
        pointers.put(aPointer({ id: `${n}`, peerId: id, expiresAt: n === 5 ? T : expiresAt }));
      }
      const sample = (places: readonly string[]) => [...pointers.sample(places, T, "peer-0")];
      expect(sample(["0", "0", "0", "0"]).toSorted()).toEqual(["1", "2"]);
      expect(sample(["1"])).toEqual(["2"]);
      expect(sample(["9"])).toEqual(["1"]);
      expect(sample([])).toEqual([]);
    },
  },
  {
    name: "staged pointers are listed together with new sequence numbers, and removals only in changes",
    run(open) {
      const { pointers } = openRegistry(open());
      pointers.put(aPointer({ id: "a", state: "removed", seq: pointers.nextSeq() }));
      pointers.put(aPointer({ id: "b", peerId: "q", epoch: 2, state: "staged", seq: 0 }));
      const page = { now: T, filter: {}, limit: 9 };
      expect(pointers.list(page, "")).toEqual([]);
      expect(pointers.changes(page, 0).map(({ id }) => id)).toEqual(["a"]);
      expect([pointers.awaitsEpoch(2), pointers.awaitsEpoch(3)]).toEqual([false, false]);
      pointers.listStaged(2);
      expect(pointers.list(page, "")).toMatchObject([{ id: "b", seq: 2, signature: null }]);
      expect([pointers.awaitsEpoch(2), pointers.awaitsEpoch(3)]).toEqual([false, true]);
      pointers.removeBefore(2);
      expect(pointers.changes(page, 0)).toMatchObject([{ id: "b", seq: 2, matches: true }]);
      expect([pointers.seq(), pointers.nextSeq(), pointers.seq()]).toEqual([2, 3, 3]);
    },
  },
  {
    name: "epochs keep their secrets until they are removed, and record who received their keys",
    run(open) {
      const { discoveryEpochs: epochs } = openRegistry(open());
      const epoch = {
        epoch: 1,
        sealed: "00",
        publicKey: "11",
        openedAt: T,
        closedAt: null,
        expelled: false,
        expiresAt: T + 9,
      };
      expect(epochs.newest()).toBeNull();
      epochs.insert(epoch);
      epochs.close(1, T + 1);
      epochs.close(1, T + 2);
      epochs.insert({ ...epoch, epoch: 2 });
      expect(epochs.list()).toEqual([
        { ...epoch, closedAt: T + 1 },
        { ...epoch, epoch: 2 },
      ]);
      epochs.expelUpTo(2, T + 3);
      expect(epochs.list()).toMatchObject([
        { closedAt: T + 1, expelled: true },
        { closedAt: T + 3, expelled: true },
      ]);
      epochs.removeBefore(2);
      expect(epochs.list()).toEqual([epochs.newest()]);
      for (const held of [1, 2, 1]) epochs.noteHolder("peer:a", held);
      expect([epochs.heldBy("peer:a"), epochs.heldBy("peer:b")]).toEqual([2, 0]);
      epochs.forgetHoldersBefore(3);
      expect(epochs.heldBy("peer:a")).toBe(0);
    },
  },
  {
    name: "unsettled blobs are found by peer and by age",
    run(open) {
      const { unsettledBlobs: blobs } = openRegistry(open());
      const blob = { id: "a", peerId: "p", epoch: 1, fingerprint: "f", begunAt: T };
      expect(blobs.oldest()).toBeNull();
      blobs.put(blob);
      blobs.put({ ...blob, begunAt: T + 5 });
      expect([blobs.same(blob), blobs.same({ ...blob, epoch: 2 })]).toEqual(["a", null]);
      expect([blobs.oldest(), blobs.begunBefore(T + 4), blobs.begunBefore(T + 5)]).toEqual([
        T + 5,
        [],
        ["a"],
      ]);
      expect([blobs.settle("a"), blobs.settle("a")]).toEqual([true, false]);
    },
  },
  {
    name: "KV writes are counted for a day, together with the highest number of peers",
    run(open) {
      const { kvWrites } = openRegistry(open());
      expect(kvWrites.spent(T)).toMatchObject({ writes: 0, peers: 0 });
      kvWrites.count(T, { writes: 1, peers: 7, strangerRecords: 1, strangers: 2 });
      kvWrites.count(T, { writes: 2, peers: 3, strangerRecords: 1, strangers: 1 });
      kvWrites.count(T + HOUR, { writes: 4, peers: 5 });
      expect(kvWrites.spent(T + HOUR)).toEqual({
        writes: 7,
        peers: 7,
        strangerRecords: 2,
        strangers: 2,
      });
      expect(kvWrites.spent(T + DAY)).toEqual({
        writes: 4,
        peers: 5,
        strangerRecords: 0,
        strangers: 0,
      });
      kvWrites.count(T + 2 * DAY, { writes: 1 });
      kvWrites.prune(T + 2 * DAY);
      expect(kvWrites.spent(T + DAY)).toMatchObject({ writes: 1, peers: 0 });
    },
  },
];
