import { z } from "zod";
import { toHex } from "../base/bytes.ts";
import { parseJson } from "../base/json.ts";
import { identityFrom, type KeyPair } from "../client/index.ts";
import { Failure, UsageError } from "./failure.ts";
import { replaceFile, writeNewFile } from "./files.ts";
import { readPrivateInput } from "./private-file.ts";
import { quotedCommand } from "./command-name.ts";

/** The key of a peer on disk. `id` and `public_key` are informative; they follow from the private key. */
const KeyFile = z.object({
  version: z.literal(1),
  id: z.string(),
  public_key: z.string(),
  private_key: z.string().regex(/^[0-9a-f]{64}$/),
  created_at: z.iso.datetime(),
});

export interface StoredKey {
  readonly keys: KeyPair;
  readonly createdAt: string;
}

/** Writes a key file that only its owner can read. An existing file is replaced only with `force`. */
export async function writeKeyFile(
  path: string,
  { keys, createdAt }: StoredKey,
  force: boolean,
): Promise<void> {
  const file: z.infer<typeof KeyFile> = {
    version: 1,
    id: keys.id,
    public_key: toHex(keys.publicKey),
    private_key: toHex(keys.privateKey),
    created_at: createdAt,
  };
  const text = `${JSON.stringify(file, null, 2)}\n`;
  if (force) return replaceFile(path, text);
  if (!(await writeNewFile(path, text))) {
    throw new Failure(
      `${path} exists already`,
      "choose another --out, or overwrite it with --force",
    );
  }
}

export async function readKeyFile(path: string): Promise<StoredKey> {
  const text = await readPrivateInput(path, `create a key file with ${quotedCommand("keygen")}`);
  const file = KeyFile.safeParse(parseJson(text));
  if (!file.success)
    throw new UsageError(`${path} is not a key file`, `create one with ${quotedCommand("keygen")}`);
  return { keys: identityFrom(file.data.private_key), createdAt: file.data.created_at };
}
