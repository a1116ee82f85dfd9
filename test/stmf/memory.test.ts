import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { sealSigil } from "../../src/crypto/sigil.ts";
import { CONTAINER_BYTES_MAX, encodeStmf } from "../../src/stmf/container.ts";
import { fileField } from "../../src/stmf/fields.ts";
import { writeForm } from "../../src/stmf/form.ts";
import { openForm } from "../../src/stmf/seal.ts";
import { must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { countAllocations } from "./allocations.ts";

/** Enough for the text of the largest form and for its values. */
const HEAP_MB = 96;
const FORM_BYTES_MAX = CONTAINER_BYTES_MAX - 8 * 1_024;

const recipient = newKeyPair(seededRandom(1));

function sealed(plaintext: Uint8Array): Uint8Array {
  const ephemeral = newKeyPair(seededRandom(2));
  const secret = present(sharedSecret(ephemeral.privateKey, recipient.publicKey));
  const payload = sealSigil(secret, plaintext, seededRandom(3));
  return encodeStmf({ ephemeralPublicKey: ephemeral.publicKey, payload });
}

const largeFile = () => {
  const content = new Uint8Array(25 * 1_024 * 1_024).fill(0xa5);
  return must(writeForm({ fields: [fileField("f", content, "f.bin")] }));
};

/** A JSON text of the largest form's size that repeats the part. */
const filledWith = (before: string, repeated: string, after: string) => {
  const times = Math.floor((FORM_BYTES_MAX - before.length - after.length) / repeated.length);
  return utf8(before + repeated.repeat(times) + after);
};

/** The outcome of opening the container in that heap. Rejects when the heap is exhausted. */
async function openedInHeap(container: Uint8Array): Promise<unknown> {
  const worker = new Worker(join(import.meta.dirname, "open-container.worker.ts"), {
    workerData: { container, privateKey: recipient.privateKey },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16 },
  });
  const [said] = (await once(worker, "message")) as unknown[];
  await worker.terminate();
  return said;
}

describe("in a heap of 96 MB", () => {
  test.for<[string, () => Uint8Array, string]>([
    ["a file of 25 MiB is opened", largeFile, "ok"],
    [
      "twelve million empty fields are refused",
      () => filledWith('{"fields":[', "{},", "{}]}"),
      "content_invalid",
    ],
    [
      "four million metadata are refused",
      () => filledWith('{"fields":[],"meta":{', '"k":"v",', '"k":"v"}}'),
      "content_invalid",
    ],
    ["a string without an end is refused", () => filledWith('"', '\\"', ""), "content_invalid"],
  ])("ST8 %s", async ([, plaintext, outcome]) => {
    expect(await openedInHeap(sealed(plaintext()))).toBe(outcome);
  });
});

test("ST8 opening a file of 25 MiB allocates two copies of its bytes (one by @noble) and its text", () => {
  const plaintext = largeFile();
  const container = sealed(plaintext);
  const { bytes } = countAllocations(() => must(openForm(container, recipient.privateKey)));
  expect(bytes).toBeGreaterThanOrEqual(plaintext.length);
  expect(bytes).toBeLessThan(2 * plaintext.length + 16 * 1_024);
});
