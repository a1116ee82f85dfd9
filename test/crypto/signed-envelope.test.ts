import { describe, expect, test } from "vitest";
import { toBase64, utf8 } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { ed25519PublicKey, ed25519Sign } from "../../src/crypto/primitives.ts";
import { unwrapEnvelope } from "../../src/crypto/signed-envelope.ts";
import { must, mustFail } from "../must.ts";
import { seededRandom } from "../random.ts";

const message = { id: "1", type: "ping", payload: { peerPubkey: "of the message" } };
const body = utf8(JSON.stringify(message));
const privateKey = seededRandom(8)(32);
const own = toBase64(ed25519PublicKey(privateKey));
const other = toBase64(ed25519PublicKey(seededRandom(9)(32)));
const signature = toBase64(ed25519Sign(privateKey, body));
const whole = { peerPubkey: own, body: toBase64(body), signature };

const unwrap = (envelope: Json) => unwrapEnvelope(JSON.stringify(envelope));
const unwrapped = (envelope: Json): unknown => JSON.parse(must(unwrap(envelope)));

describe("a signed envelope", () => {
  test.each<[string, Json]>([
    ["with its signature", whole],
    ["without a signature", { ...whole, signature: "" }],
    ["with a signature of null", { ...whole, signature: null }],
    ["of its body alone", { body: whole.body }],
    ["with a key of a wrong length but no signature", { body: whole.body, peerPubkey: "AAAA" }],
  ])("GP8 is unwrapped %s", (_, envelope) => {
    expect(unwrapped(envelope)).toEqual(message);
  });

  test.each<[string, Json]>([
    ["the signature of another key", { ...whole, peerPubkey: other }],
    ["no key", { ...whole, peerPubkey: null }],
    ["a short key", { ...whole, peerPubkey: own.slice(0, 40) }],
    ["a short signature", { ...whole, signature: signature.slice(0, 84) }],
    ["an altered body", { ...whole, body: toBase64(utf8(`${JSON.stringify(message)} `)) }],
    ["no body", { peerPubkey: own, signature }],
    ["a body of null", { ...whole, body: null }],
    ["an empty body", { ...whole, body: "" }],
    ["a body that is no text", { ...whole, body: 7 }],
    ["a signature that is no base64", { ...whole, signature: "?" }],
  ])("GP8 is refused with %s", (_, envelope) => {
    expect(mustFail(unwrap(envelope)).code).toBe("bad_message");
  });

  test("GP8 a message is itself, also one that is no object", () => {
    expect(unwrapped(message)).toEqual(message);
    expect(unwrapped([whole])).toEqual([whole]);
    expect(must(unwrapEnvelope("not json"))).toBe("not json");
  });

  test("GP8 an envelope in an envelope is not unwrapped again", () => {
    const outer = { body: toBase64(utf8(JSON.stringify(whole))) };
    expect(unwrapped(outer)).toEqual(whole);
  });
});
