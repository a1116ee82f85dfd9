import { expect, test } from "vitest";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { openSigil } from "../../src/crypto/sigil.ts";
import { decodeStmf, encodeStmf } from "../../src/stmf/container.ts";
import { writeForm } from "../../src/stmf/form.ts";
import { decrypt } from "../../src/stmf/index.ts";
import { sealForm } from "../../src/stmf/seal.ts";
import { bytesOf, must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { describeVectors } from "../shared.ts";

interface BorgVector {
  readonly name: string;
  readonly private_key: string;
  readonly public_key: string;
  readonly encrypted_b64: string;
  readonly expected_fields: Readonly<Record<string, string>>;
  readonly expected_meta: Readonly<Record<string, string>> | null;
}

describeVectors<BorgVector[]>("containers made by Borg's Go code", "borg-stmf.json", (vectors) => {
  test("cover more than one kind of form", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(3);
  });

  test.for(vectors)("ST2 Borg's containers open with their private key: $name", async (vector) => {
    const form = await decrypt(bytesOf(vector.encrypted_b64), bytesOf(vector.private_key));
    const fields = Object.fromEntries(form.fields.map(({ name, value }) => [name, value]));
    expect(fields).toEqual(vector.expected_fields);
    expect(form.meta ?? null).toEqual(vector.expected_meta);
  });

  test.for(vectors)("ST2 Borg's containers are encoded again byte for byte: $name", (vector) => {
    const container = bytesOf(vector.encrypted_b64);
    expect(encodeStmf(must(decodeStmf(container)))).toEqual(container);
  });

  test.for(vectors)(
    "ST2 Borg's plaintexts equal Muster's for the same form: $name",
    async (vector) => {
      const container = bytesOf(vector.encrypted_b64);
      const privateKey = bytesOf(vector.private_key);
      const { ephemeralPublicKey, payload } = must(decodeStmf(container));
      const key = present(sharedSecret(privateKey, ephemeralPublicKey));
      const form = await decrypt(container, privateKey);
      expect(must(writeForm(form))).toEqual(openSigil(key, payload));
    },
  );

  test.for(vectors)("have the public key that Muster derives: $name", async (vector) => {
    const form = await decrypt(bytesOf(vector.encrypted_b64), bytesOf(vector.private_key));
    const ours = must(sealForm(form, bytesOf(vector.public_key), seededRandom(7)));
    expect(await decrypt(ours, bytesOf(vector.private_key))).toEqual(form);
    expect(ours.length).toBe(bytesOf(vector.encrypted_b64).length);
  });
});
