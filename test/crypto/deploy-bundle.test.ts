import { assert, constantFrom, dictionary, property, record, string, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { fromBase64, fromUtf8, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { tarOf } from "../../src/base/tar.ts";
import { readBundle, sealBundle } from "../../src/crypto/deploy-bundle.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { DEPLOY_SEALED_BYTES_MAX } from "../../src/protocol/constants.ts";
import { bytesOf, must } from "../must.ts";
import { seededRandom } from "../random.ts";
import { openStim } from "./open-stim.ts";
import { STIM_VECTORS } from "./stim-vectors.ts";

const SECRET = seededRandom(7)(32);
const b64 = (text: string): string => toBase64(utf8(text));
const TAR = tarOf([{ name: "xmrig", content: utf8("binary") }]);
const MINER = { type: "miner", name: "xmrig 6", files: { xmrig: b64("binary") } };
const [SEALED] = STIM_VECTORS;

/** The payload that the node gets, and what its container holds. */
function sealed(payload: Json) {
  const sent = sealBundle(must(readBundle(payload)), SECRET, seededRandom(8));
  const data = bytesOf(sent.data);
  expect(sent.checksum).toBe(toHex(sha256(data)));
  const { config, files } = openStim(toBase64(SECRET), data);
  const named = [...files].map(([name, content]) => [name, fromUtf8(content)]);
  return { sent, config: fromUtf8(config), files: Object.fromEntries(named) as object };
}

describe("the bundle of a deploy", () => {
  test.each<[string, Json, { config: string; files: object }]>([
    [
      "a profile as JSON",
      { type: "profile", profile: { pool: "a" } },
      { config: '{"pool":"a"}', files: {} },
    ],
    [
      "a profile in base64",
      { type: "profile", data: b64('{ "pool": 1.0 }') },
      { config: '{ "pool": 1.0 }', files: {} },
    ],
    ["files", { bundle: MINER }, { config: "", files: { xmrig: "binary" } }],
    [
      "an archive",
      { type: "miner", name: "m", data: toBase64(TAR) },
      { config: "", files: { xmrig: "binary" } },
    ],
    [
      "files and a profile",
      { type: "full", name: "m", files: { "bin/x": b64("1"), y: "" }, profile: { a: [1] } },
      { config: '{"a":[1]}', files: { "bin/x": "1", y: "" } },
    ],
    [
      "fields beside it",
      { name: "n", bundle: { type: "profile", profile: {} } },
      { config: "{}", files: {} },
    ],
    [
      "a checksum of what is given",
      { type: "profile", data: b64("[]"), checksum: toHex(sha256(utf8("[]"))).toUpperCase() },
      { config: "[]", files: {} },
    ],
  ])("GP33 is sealed for the node with its checksum: %s", (_, payload, { config, files }) => {
    const opened = sealed(payload);
    expect(opened).toMatchObject({ config });
    expect(opened.files).toEqual(files);
    // Only fields that every generation reads at this place.
    expect(Object.keys(opened.sent)).toEqual(["type", "name", "data", "checksum"]);
  });

  test("GP33 takes its type and name from `bundle` before those beside it", () => {
    const { sent } = sealed({ type: "profile", name: "beside", bundle: MINER });
    expect(sent).toMatchObject({ type: "miner", name: "xmrig 6" });
  });

  test.each<[string, Json]>([
    ["Invalid input", null],
    ["Invalid input", "bundle"],
    ["Unrecognized key", { ...MINER, bundel: {} }],
    ["Unrecognized key", { bundle: { ...MINER, checkSum: "" } }],
    ["`type` is missing", { name: "x" }],
    ["type", { ...MINER, type: "binary" }],
    ["`name` must", { ...MINER, name: "" }],
    ["`name` must", { ...MINER, name: "../../etc" }],
    ["`name` must", { ...MINER, name: "a/b" }],
    ["`name` must", { ...MINER, name: ".ssh" }],
    ["`name` must", { type: "profile", name: "..", profile: {} }],
    ["a profile needs", { type: "profile" }],
    ["a profile needs", { type: "profile", profile: {}, data: b64("{}") }],
    ["a profile has no `files`", { type: "profile", profile: {}, files: {} }],
    ["is not JSON", { type: "profile", data: b64("{") }],
    ["is not JSON", { type: "profile", data: "/w==" }],
    ["not base64", { type: "profile", data: "{}" }],
    ["needs either `files`", { type: "miner", name: "x" }],
    ["needs either `files`", { ...MINER, data: toBase64(TAR) }],
    ["not a tar archive", { type: "full", name: "x", data: b64("#!/bin/sh") }],
    ["0 files", { ...MINER, files: {} }],
    ["not base64", { ...MINER, files: { a: "?" } }],
    ["relative path", { ...MINER, files: { "../a": "" } }],
    ["relative path", { ...MINER, files: { "/a": "" } }],
    ["relative path", { ...MINER, files: { "a/./b": "" } }],
    ["relative path", { ...MINER, files: { "a\0b": "" } }],
    ["relative path", { ...MINER, files: { ["é".repeat(51)]: "" } }],
    ["without `data`", { ...MINER, checksum: "00" }],
    ["not the SHA-256", { type: "profile", data: b64("{}"), checksum: "00" }],
    ["no node could open", { type: "profile", data: SEALED.sealed }],
    [
      "no node could open",
      {
        type: "miner",
        name: "x",
        data: SEALED.sealed,
        checksum: toHex(sha256(bytesOf(SEALED.sealed))),
      },
    ],
  ])("GP34 is refused with the reason: %s", (reason, payload) => {
    const read = readBundle(payload);
    expect(read).toMatchObject({ ok: false, error: { code: "invalid_request" } });
    if (!read.ok) expect(read.error.detail).toContain(reason);
  });

  test("GP34 is sealed or refused, whatever the payload", () => {
    const field = string({ unit: "grapheme", maxLength: 40 });
    const payloads = record(
      {
        type: constantFrom("profile", "miner", "full"),
        name: field,
        data: uint8Array().map(toBase64),
        profile: dictionary(field, field),
        files: dictionary(field, uint8Array().map(toBase64)),
      },
      { requiredKeys: ["type"] },
    );
    assert(
      property(payloads, (payload) => {
        const read = readBundle(payload);
        if (!read.ok) return;
        const { files } = sealed(payload);
        for (const name of Object.keys(files)) expect(name.split("/")).not.toContain("..");
      }),
    );
  });

  test("GP35 is refused from the size on that a node's frame does not hold, with that size", () => {
    const withFile = (bytes: number): Json => ({
      ...MINER,
      files: { xmrig: toBase64(new Uint8Array(bytes)) },
    });
    const fits = Math.floor((DEPLOY_SEALED_BYTES_MAX - 2_000) / 512) * 512;
    expect(must(readBundle(withFile(fits)))).toMatchObject({ type: "miner" });
    const sent = sealBundle(must(readBundle(withFile(fits))), SECRET, seededRandom(9));
    expect(fromBase64(sent.data)?.length).toBeLessThanOrEqual(DEPLOY_SEALED_BYTES_MAX);
    const refused = readBundle(withFile(DEPLOY_SEALED_BYTES_MAX));
    expect(refused).toMatchObject({ ok: false, error: { code: "payload_too_large" } });
    if (!refused.ok) expect(refused.error.detail).toContain(String(DEPLOY_SEALED_BYTES_MAX));
  });
});
