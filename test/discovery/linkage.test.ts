import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/base/canonical-json.ts";
import { MINUTE } from "../../src/base/clock.ts";
import { EPOCH_ROTATION_INTERVAL } from "../../src/protocol/constants.ts";
import type { PointerView } from "../../src/protocol/http.ts";
import { TestMesh, testKey } from "../coordinator/mesh.ts";
import { present } from "../must.ts";
import { pointerIdOf } from "../../src/discovery/epoch-secrets.ts";
import { hexBytes } from "../must.ts";

const PEERS = 1_000;

/** What an attacker without keys sees: the pointer, its position in the list and, as the store's owner, the order of writes. */
interface Sighting {
  readonly pointer: PointerView;
  readonly place: number;
  readonly stored: number;
}

/** Numbers by which an attacker could try to recognize a pointer in the next epoch. */
const MARKS: Readonly<Record<string, (sighting: Sighting) => number>> = {
  "its position in the list": ({ place }) => place,
  "its sequence number": ({ pointer }) => pointer.seq,
  "its ID": ({ pointer }) => Number.parseInt(pointer.id.slice(0, 12), 16),
  "its blob's ID": ({ pointer }) => Number.parseInt(pointer.blob_id.slice(0, 12), 16),
  "its expiry": ({ pointer }) => Date.parse(pointer.expires_at),
  "its blob's position in the order of storing": ({ stored }) => stored,
  "its signature": ({ pointer }) => Number.parseInt(pointer.signature.slice(0, 12), 16),
};

interface Epoch {
  readonly sightings: readonly Sighting[];
  /** The peer of each pointer ID, which the attacker does not know. */
  readonly peerOf: ReadonlyMap<string, string>;
}

function look(mesh: TestMesh): Epoch {
  const { epochs } = mesh.discoveryKeys();
  const secret = hexBytes(present(epochs.at(-1)).pointer_secret);
  const pointers: PointerView[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = mesh.listPointers({ limit: 500, cursor: cursor ?? undefined });
    pointers.push(...page.pointers);
    cursor = page.next_cursor;
  }
  const ids = mesh.rows("SELECT id FROM peers").map(({ id }) => String(id));
  return {
    sightings: pointers.map((pointer, place) => ({
      pointer,
      place,
      stored: mesh.publications.findIndex(({ blobId }) => blobId === pointer.blob_id),
    })),
    peerOf: new Map(ids.map((id) => [pointerIdOf(secret, id), id])),
  };
}

const groupsOf = ({ sightings }: Epoch) =>
  Map.groupBy(sightings, ({ pointer }) => canonicalJson(pointer.metadata));

/**
 * The attacker's guess: among pointers with equal metadata, the one with the same rank by the mark in the other epoch. By
 * chance, one guess per group is right on average, whatever the group's size (the expected number of fixed points of a
 * random permutation).
 */
function rightGuesses(
  before: Epoch,
  after: Epoch,
  mark: (sighting: Sighting) => number,
  markAfter = mark,
) {
  const later = groupsOf(after);
  let right = 0;
  let groups = 0;
  for (const [metadata, group] of groupsOf(before)) {
    const candidates = (later.get(metadata) ?? []).toSorted((a, b) => markAfter(a) - markAfter(b));
    const ranked = group.toSorted((a, b) => mark(a) - mark(b));
    groups++;
    ranked.forEach(({ pointer }, rank) => {
      const guess = candidates[rank]?.pointer.id ?? "";
      if (after.peerOf.get(guess) === before.peerOf.get(pointer.id)) right++;
    });
  }
  return { right, groups };
}

describe("two epochs of a thousand peers", () => {
  const { discovery } = new TestMesh().config;
  const mesh = new TestMesh({
    config: {
      peersMax: PEERS,
      discovery: { ...discovery, publicFields: ["role", "capabilities"] },
    },
  });
  for (let i = 0; i < PEERS; i++) {
    mesh.join(testKey(1_000 + i), { capabilities: i % 3 === 0 ? ["gpu"] : [], name: `peer ${i}` });
    mesh.advanceClock(7);
  }
  mesh.runFor(2 * MINUTE);
  const before = look(mesh);
  mesh.runFor(EPOCH_ROTATION_INTERVAL + 2 * MINUTE);
  const after = look(mesh);

  test("DS16 both epochs list all peers, with the metadata that enough of them share", () => {
    for (const { sightings } of [before, after]) {
      expect(sightings).toHaveLength(PEERS);
      expect(new Set(sightings.map(({ pointer }) => canonicalJson(pointer.metadata))).size).toBe(2);
    }
  });

  test("DS16 no value of one epoch's pointers appears in the other epoch", () => {
    const marks = ({ sightings }: Epoch) =>
      sightings.flatMap(({ pointer }) => [pointer.id, pointer.blob_id, pointer.signature]);
    expect(new Set([...marks(before), ...marks(after)]).size).toBe(6 * PEERS);
  });

  test("DS16 the second epoch's pointers are stored in another order", () => {
    const order = (from: number) =>
      mesh.publications.slice(from, from + PEERS).map(({ record }) => record.id);
    const [first, second] = [order(0), order(PEERS)];
    expect(new Set(second)).toEqual(new Set(first));
    const inPlace = second.filter((id, i) => id === first[i]).length;
    expect(inPlace).toBeLessThan(10);
  });

  // The number of right guesses per group is nearly Poisson-distributed with mean 1. For 2 groups, more than 10 have a
  // probability below 1 in 10,000.
  test.for(Object.entries(MARKS))(
    "DS16 an attacker matches pointers of two epochs no better than by chance: by %s",
    ([, mark]) => {
      const { right, groups } = rightGuesses(before, after, mark);
      expect(groups).toBe(2);
      expect(right).toBeLessThanOrEqual(10);
    },
  );

  test("DS16 an attacker who knows half of the matches finds no ordering that matches the other half better than chance", () => {
    const marks = Object.values(MARKS);
    // Each mark of one epoch with each mark of the other, in both directions.
    const ways = marks.flatMap((first) =>
      marks.flatMap((second) => [
        { first, second },
        { first, second: (sighting: Sighting) => -second(sighting) },
      ]),
    );
    const known = new Set([...before.peerOf.values()].filter((_, index) => index % 2 === 0));
    const half = ({ sightings, peerOf }: Epoch, ofKnown: boolean): Epoch => ({
      sightings: sightings.filter(
        ({ pointer }) => known.has(present(peerOf.get(pointer.id))) === ofKnown,
      ),
      peerOf,
    });
    const learned = ways.map(({ first, second }) => ({
      first,
      second,
      right: rightGuesses(half(before, true), half(after, true), first, second).right,
    }));
    const best = learned.reduce((a, b) => (b.right > a.right ? b : a));
    const { right } = rightGuesses(
      half(before, false),
      half(after, false),
      best.first,
      best.second,
    );
    expect(right).toBeLessThanOrEqual(10);
  });

  test("DS16 the attacker of this test does match pointers when a value links them", () => {
    // Comparing an epoch with itself must give matches: this shows that the measure works.
    expect(rightGuesses(before, before, present(MARKS["its ID"])).right).toBe(PEERS);
  });
});
