import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { RECORD_PADDED_BYTES_MIN } from "../../src/protocol/constants.ts";
import { REGIONS } from "../../src/protocol/discovery.ts";
import { decrypt } from "../../src/stmf/index.ts";
import {
  openPeerRecord,
  peerForm,
  readPeerForm,
  sealPeerRecord,
  type PeerRecord,
} from "../../src/stmf/peer-record.ts";
import { sealForm } from "../../src/stmf/seal.ts";
import { must, mustFail, present } from "../must.ts";
import { seededRandom } from "../random.ts";

const discovery = newKeyPair(seededRandom(1));
const peer = newKeyPair(seededRandom(2));

const RECORD: PeerRecord = {
  id: peer.id,
  name: "atlas-1",
  public_key: toHex(peer.publicKey),
  address: "203.0.113.9:41000",
  role: "worker",
  added_at: "2026-01-02T03:04:05.006Z",
  last_seen: "2026-01-02T03:05:05.000Z",
  ping_ms: 12.375,
  hops: 1,
  geo_km: 0,
  score: 0.87,
  connected: true,
  capabilities: ["arch=arm64", "gpu"],
  kinds: ["echo", "go-p2p/get_stats"],
  region: "weur",
};

const time = fc
  .date({ min: new Date("1970-01-01"), max: new Date("2999-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString());
const measure = fc
  .double({ min: 0, max: 1e9, noNaN: true })
  .map((value) => (value === 0 ? 0 : value));

const anyRecord: fc.Arbitrary<PeerRecord> = fc.record({
  id: fc.constant(RECORD.id),
  public_key: fc.constant(RECORD.public_key),
  name: fc.constantFrom("", "a", "Peer 7_b-c"),
  address: fc.string(),
  role: fc.constantFrom("controller", "worker", "dual"),
  added_at: time,
  last_seen: fc.option(time),
  ping_ms: fc.option(measure),
  hops: fc.option(fc.nat()),
  geo_km: fc.option(measure),
  score: measure.map((value) => value % 1),
  connected: fc.boolean(),
  capabilities: fc.uniqueArray(fc.constantFrom("gpu", "arch=arm64", "region:eu"), { maxLength: 3 }),
  kinds: fc.constantFrom([], ["*"], ["echo", "render/4k"]),
  region: fc.option(fc.constantFrom(...REGIONS)),
});

/** The record's form with one field changed, removed (null) or added. */
const formWith = (name: string, value: string | null) => {
  const fields = peerForm(RECORD).fields.filter((field) => field.name !== name);
  return { fields: value === null ? fields : [...fields, { name, value }] };
};

/** Attributes that the first records did not have. */
const HAVE_DEFAULTS = ["capabilities", "kinds", "region"];

describe("a peer record", () => {
  test("opens unchanged from its container, whatever it contains", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const sealed = must(sealPeerRecord(record, discovery.publicKey, seededRandom(3)));
        expect(must(openPeerRecord(sealed, discovery.privateKey))).toEqual(record);
      }),
      { numRuns: 50 },
    );
  });

  test("is a form with one typed field for each attribute", async () => {
    const sealed = must(sealPeerRecord(RECORD, discovery.publicKey, seededRandom(3)));
    expect(await decrypt(sealed, discovery.privateKey)).toEqual({
      fields: [
        { name: "id", value: RECORD.id, type: "text" },
        { name: "name", value: "atlas-1", type: "text" },
        { name: "public_key", value: RECORD.public_key, type: "text" },
        { name: "address", value: "203.0.113.9:41000", type: "text" },
        { name: "role", value: "worker", type: "text" },
        { name: "added_at", value: "2026-01-02T03:04:05.006Z", type: "datetime" },
        { name: "last_seen", value: "2026-01-02T03:05:05.000Z", type: "datetime" },
        { name: "ping_ms", value: "12.375", type: "number" },
        { name: "hops", value: "1", type: "number" },
        { name: "geo_km", value: "0", type: "number" },
        { name: "score", value: "0.87", type: "number" },
        { name: "connected", value: "true", type: "boolean" },
        { name: "capabilities", value: "arch=arm64,gpu", type: "list" },
        { name: "kinds", value: "echo,go-p2p/get_stats", type: "list" },
        { name: "region", value: "weur", type: "region" },
        { name: "padding", value: expect.stringMatching(/^0+$/), type: "padding" },
      ],
    });
  });

  test("DS13 a sealed record has one of a few sizes, whatever it contains", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { length } = must(sealPeerRecord(record, discovery.publicKey, seededRandom(3)));
        const overhead = must(sealForm({ fields: [] }, discovery.publicKey, seededRandom(3)));
        const content = length - (overhead.length - JSON.stringify({ fields: [] }).length);
        expect(content).toBeGreaterThanOrEqual(RECORD_PADDED_BYTES_MIN);
        expect(Math.log2(content) % 1).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test("written before capabilities, kinds and regions existed is read with defaults", () => {
    const { fields } = peerForm(RECORD);
    const old = fields.filter(({ name }) => !HAVE_DEFAULTS.includes(name));
    expect(must(readPeerForm({ fields: old }))).toEqual({
      ...RECORD,
      capabilities: [],
      kinds: ["*"],
      region: null,
    });
  });

  test("distinguishes an absent measurement from zero", () => {
    const unmeasured = { ...RECORD, last_seen: null, ping_ms: null, hops: null, geo_km: null };
    const values = new Map(peerForm(unmeasured).fields.map(({ name, value }) => [name, value]));
    expect(["last_seen", "ping_ms", "hops", "geo_km"].map((name) => values.get(name))).toEqual(
      Array(4).fill(""),
    );
    expect(must(readPeerForm(peerForm(unmeasured)))).toEqual(unmeasured);
    expect(must(readPeerForm(peerForm(RECORD))).geo_km).toBe(0);
  });

  test("contains no other property of the object that it is made from", () => {
    const wider = { ...RECORD, state: "active", secret: "x" };
    expect(peerForm(wider)).toEqual(peerForm(RECORD));
  });

  test("may contain fields of later versions, which are ignored", () => {
    expect(must(readPeerForm(formWith("toString", "x")))).toEqual(RECORD);
  });
});

describe("a forged peer record", () => {
  test("is refused when its ID is not the hash of its key", () => {
    const other = newKeyPair(seededRandom(4));
    for (const forged of [
      { ...RECORD, id: other.id },
      { ...RECORD, public_key: toHex(other.publicKey) },
    ]) {
      const sealed = must(sealPeerRecord(forged, discovery.publicKey, seededRandom(3)));
      expect(mustFail(openPeerRecord(sealed, discovery.privateKey)).code).toBe("identity_mismatch");
    }
  });

  test.for(
    peerForm(RECORD)
      .fields.map(({ name }) => name)
      .filter((name) => !HAVE_DEFAULTS.includes(name)),
  )("is refused when an attribute is missing: %s", (name) => {
    expect(mustFail(readPeerForm(formWith(name, null))).code).toBe("record_invalid");
  });

  test.for(peerForm(RECORD).fields.map(({ name }) => name))(
    "is refused when an attribute appears twice: %s",
    (name) => {
      const { fields } = peerForm(RECORD);
      const again = present(fields.find((field) => field.name === name));
      expect(mustFail(readPeerForm({ fields: [...fields, again] })).code).toBe("record_invalid");
    },
  );

  test.for<[string, string]>([
    ["id", "zz"],
    ["name", "n".repeat(65)],
    ["public_key", "00"],
    ["role", "king"],
    ["added_at", ""],
    ["added_at", "yesterday"],
    ["last_seen", "2026-13-01T00:00:00Z"],
    ["ping_ms", "fast"],
    ["ping_ms", "0x10"],
    ["ping_ms", "1e999"],
    ["ping_ms", "[1]"],
    ["hops", "null"],
    ["geo_km", "NaN"],
    ["score", "1.01"],
    ["score", "-0.1"],
    ["score", ""],
    ["connected", "yes"],
    ["connected", ""],
    ["capabilities", "gpu,,x"],
    ["capabilities", "not one"],
    ["region", "moon"],
  ])("is refused when an attribute is invalid: %s = %j", ([name, value]) => {
    expect(mustFail(readPeerForm(formWith(name, value))).code).toBe("record_invalid");
  });

  test("is distinguished from a container that does not open", () => {
    const other = newKeyPair(seededRandom(5));
    const sealed = must(sealPeerRecord(RECORD, other.publicKey, seededRandom(3)));
    expect(mustFail(openPeerRecord(sealed, discovery.privateKey)).code).toBe(
      "container_sealed_otherwise",
    );
    const form = must(sealForm({ fields: [] }, discovery.publicKey, seededRandom(3)));
    expect(mustFail(openPeerRecord(form, discovery.privateKey)).code).toBe("record_invalid");
  });

  test("is not sealed to a key of low order, which anyone could open", () => {
    expect(mustFail(sealPeerRecord(RECORD, new Uint8Array(32), seededRandom(3))).code).toBe(
      "public_key_invalid",
    );
  });
});
