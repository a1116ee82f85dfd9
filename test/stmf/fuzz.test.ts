import { describe, expect, test, vi } from "vitest";
import { concat, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import type { Result } from "../../src/base/result.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { openSigil, sealSigil } from "../../src/crypto/sigil.ts";
import { openSmsg, sealSmsg } from "../../src/crypto/smsg.ts";
import { decodeContainer } from "../../src/crypto/trix.ts";
import { containerFromBase64, decodeStmf, encodeStmf, readInfo } from "../../src/stmf/container.ts";
import { fileContent, webFormOf } from "../../src/stmf/fields.ts";
import { readForm, type FormData } from "../../src/stmf/form.ts";
import { peerForm, readPeerForm, type PeerRecord } from "../../src/stmf/peer-record.ts";
import { openForm, sealForm, sealFormForAll } from "../../src/stmf/seal.ts";
import { createSite } from "../contracts/sealed-forms.suite.ts";
import { must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { SCALE } from "../session/arbitraries.ts";
import { countAllocations } from "./allocations.ts";
import { diceOf, jsonBytes, mutateBytes, mutateJson, type Dice } from "./mutate.ts";

/** Inputs per decoder: for those that read bytes, those that read forms, and the slow ones (key agreement, requests). */
const MANY = 20_000 * SCALE;
const SOME = 5_000 * SCALE;
const FEW = 1_000 * SCALE;

vi.setConfig({ testTimeout: 60_000 * Math.max(1, SCALE) });

/** The bytes that a decoder may allocate: a copy of the input, a copy of its plaintext, and a constant. */
const allowed = (inputBytes: number) => 2 * inputBytes + 16 * 1_024;

const recipient = newKeyPair(seededRandom(1));
const others = [newKeyPair(seededRandom(2)), newKeyPair(seededRandom(3))];
const record: PeerRecord = {
  id: recipient.id,
  name: "atlas",
  public_key: toHex(recipient.publicKey),
  address: "",
  role: "worker",
  added_at: "2026-01-02T03:04:05Z",
  last_seen: null,
  ping_ms: 12.5,
  hops: 1,
  geo_km: null,
  score: 0.5,
  connected: true,
  capabilities: ["gpu"],
  kinds: ["echo", "render"],
  region: null,
};
const FORMS: readonly FormData[] = [
  { fields: [] },
  peerForm(record),
  {
    fields: [
      { name: "a", value: "b", type: "text" },
      { name: "f", value: "AAEC", type: "file", filename: "f.bin", mime: "a/b" },
    ],
    meta: { origin: "https://example.com", "": "" },
  },
];
const FOR_ONE = FORMS.map((form, at) =>
  must(sealForm(form, recipient.publicKey, seededRandom(at))),
);
const FOR_SEVERAL = FORMS.map((form, at) =>
  must(
    sealFormForAll(
      form,
      [...others, recipient].map(({ publicKey }) => publicKey),
      seededRandom(at),
    ),
  ),
);
const CONTAINERS = [...FOR_ONE, ...FOR_SEVERAL];

/** A container whose header is changed as JSON, as text or as bytes, or with any other change. */
function anyContainer(dice: Dice, samples = CONTAINERS, magic = "STMF"): Uint8Array {
  const sample = dice.pick(samples);
  if (dice.oneIn(3)) return mutateBytes(dice, sample, dice.pick(samples));
  const { header, payload } = must(decodeContainer(magic, sample));
  const json = jsonBytes(dice, mutateJson(dice, header));
  const fixed = sample.slice(0, 9);
  new DataView(fixed.buffer).setUint32(5, json.length);
  return concat(fixed, json, dice.oneIn(3) ? mutateBytes(dice, payload, sample) : payload);
}

const anyFormJson = (dice: Dice): Json => mutateJson(dice, dice.pick(FORMS) as unknown as Json);

const ephemeral = newKeyPair(seededRandom(4));
const secret = present(sharedSecret(ephemeral.privateKey, recipient.publicKey));

/** A container that opens, with a plaintext that may not be a form. */
function anySealed(dice: Dice): Uint8Array {
  return encodeStmf({
    ephemeralPublicKey: ephemeral.publicKey,
    payload: sealSigil(secret, jsonBytes(dice, anyFormJson(dice)), (length) => dice.bytes(length)),
  });
}

interface Decoder<Input> {
  readonly input: (dice: Dice) => Input;
  readonly bytes: (input: Input) => number;
  readonly decode: (input: Input) => unknown;
  /** All possible outcomes. Each must occur, and no other may. */
  readonly outcomes: readonly string[];
}

const codeOf = (result: Result<unknown, { readonly code: string }>): string =>
  result.ok ? "ok" : result.error.code;
const orNull = (value: unknown): string => (value === null ? "null" : "ok");

const ofBytes = (
  input: (dice: Dice) => Uint8Array,
  decode: (input: Uint8Array) => string,
  outcomes: readonly string[],
): Decoder<Uint8Array> => ({ input, decode, outcomes, bytes: ({ length }) => length });

function fuzz<Input>(count: number, { input, bytes, decode, outcomes }: Decoder<Input>): void {
  const met = new Set<unknown>();
  for (let seed = 0; seed < count; seed++) {
    const data = input(diceOf(seed));
    try {
      const { value, bytes: allocated } = countAllocations(() => decode(data));
      if (allocated > allowed(bytes(data))) throw new Error(`allocated ${allocated} bytes`);
      met.add(value);
    } catch (cause) {
      throw new Error(`input ${seed}, of ${bytes(data)} bytes`, { cause });
    }
  }
  expect(met).toEqual(new Set(outcomes));
}

const CONTAINER_CODES = ["container_invalid", "container_unsupported", "container_too_large"];
const SIGIL_KEY = seededRandom(9)(32);
const SIGILS = [0, 1, 31, 32, 33, 500].map((length) =>
  sealSigil(SIGIL_KEY, seededRandom(length)(length), seededRandom(5)),
);
const SMSG = ["", "hello", "[".repeat(50)].map((body) =>
  sealSmsg(SIGIL_KEY, body, 0, seededRandom(6)),
);

describe("ST9 any input gives a value or a fault of the union, within bounded memory (ST8):", () => {
  const cheap: Record<string, Decoder<Uint8Array>> = {
    "a trix container": ofBytes(
      (dice) => anyContainer(dice),
      (data) => codeOf(decodeContainer("STMF", data)),
      ["ok", ...CONTAINER_CODES],
    ),
    "an STMF header": ofBytes(
      (dice) => anyContainer(dice),
      (data) => codeOf(decodeStmf(data)),
      ["ok", ...CONTAINER_CODES],
    ),
    "what a container tells": ofBytes(
      (dice) => anyContainer(dice),
      (data) => codeOf(readInfo(data)),
      ["ok", ...CONTAINER_CODES],
    ),
    "a sigil": ofBytes(
      (dice) => mutateBytes(dice, dice.pick(SIGILS), dice.pick(SIGILS)),
      (data) => orNull(openSigil(SIGIL_KEY, data)),
      ["ok", "null"],
    ),
    "an SMSG container": ofBytes(
      (dice) => anyContainer(dice, SMSG, "SMSG"),
      (data) => codeOf(openSmsg(SIGIL_KEY, data)),
      ["ok", "container_sealed_otherwise", ...CONTAINER_CODES],
    ),
  };

  test.for(Object.entries(cheap))("%s", ([, decoder]) => fuzz(MANY, decoder));

  test("a container in base64", () => {
    const texts = CONTAINERS.map((container) => utf8(toBase64(container)));
    fuzz(MANY, {
      input: (dice) =>
        String.fromCharCode(...mutateBytes(dice, dice.pick(texts), dice.pick(texts))),
      bytes: ({ length }) => length,
      decode: (text) => codeOf(containerFromBase64(text)),
      outcomes: ["ok", "container_invalid"],
    });
  });

  test("a form", () => {
    const input = (dice: Dice) => jsonBytes(dice, anyFormJson(dice));
    const decode = (data: Uint8Array) => codeOf(readForm(data));
    fuzz(SOME, ofBytes(input, decode, ["ok", "content_invalid"]));
  });

  test("a peer's record, a form's files", () => {
    const borrowed = peerForm({ ...record, id: present(others[0]).id });
    const form = (dice: Dice): FormData | null => {
      const json = dice.oneIn(4) ? (borrowed as unknown as Json) : anyFormJson(dice);
      const read = readForm(utf8(JSON.stringify(json)));
      return read.ok ? read.value : null;
    };
    fuzz(SOME, {
      input: form,
      bytes: (input) => JSON.stringify(input).length,
      decode: (input) => {
        if (input === null) return "no form";
        for (const field of input.fields) fileContent(field);
        expect([...webFormOf(input).keys()]).toHaveLength(input.fields.length);
        return codeOf(readPeerForm(input));
      },
      outcomes: ["no form", "ok", "record_invalid", "identity_mismatch"],
    });
  });

  test.for([
    ["for one recipient", FOR_ONE],
    ["for several", FOR_SEVERAL],
  ] as const)("a whole container %s", ([, samples]) => {
    const decode = (data: Uint8Array) => codeOf(openForm(data, recipient.privateKey));
    const outcomes = ["ok", "container_sealed_otherwise", ...CONTAINER_CODES];
    fuzz(
      FEW,
      ofBytes((dice) => anyContainer(dice, samples), decode, outcomes),
    );
  });

  test("a container that opens, with any plaintext", () => {
    const decode = (data: Uint8Array) => codeOf(openForm(data, recipient.privateKey));
    fuzz(FEW, ofBytes(anySealed, decode, ["ok", "content_invalid"]));
  });

  test("a form post", async () => {
    const site = createSite();
    const boundary = "x-boundary";
    const part = (name: string, value: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const payloads = CONTAINERS.map(toBase64);
    const bodies = payloads.flatMap((payload) => [
      `${part("a", "b")}${part("_stmf_payload", payload)}--${boundary}--\r\n`,
      `a=b&_stmf_payload=${encodeURIComponent(payload)}`,
    ]);
    const met = new Set<number>();
    for (let seed = 0; seed < FEW; seed++) {
      const dice = diceOf(seed);
      const body = utf8(dice.pick(bodies));
      const type = dice.oneIn(2)
        ? `multipart/form-data; boundary=${boundary}`
        : "application/x-www-form-urlencoded";
      const request = new Request("https://site.test/form", {
        method: "POST",
        headers: { "Content-Type": type },
        body: dice.oneIn(8)
          ? body
          : (mutateBytes(dice, body, utf8(dice.pick(bodies))) as Uint8Array<ArrayBuffer>),
      });
      met.add((await site.fetch(request)).status);
    }
    expect(met).toEqual(new Set([200, 400]));
  });
});

test("ST8 the tests' allocation counter counts allocated arrays by length, but not views", () => {
  const { bytes } = countAllocations(() => {
    const made = new Uint8Array(1_000);
    new Int32Array(10).fill(1);
    return concat(made.subarray(1), new Uint8Array(made.buffer, 5));
  });
  expect(bytes).toBe(1_000 + 40 + 999 + 995);
});
