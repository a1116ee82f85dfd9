import { generateIdentity } from "../../client/index.ts";
import { toHex } from "../../base/bytes.ts";
import { command } from "../command.ts";
import { Failure, UsageError } from "../failure.ts";
import { writeNewFile } from "../files.ts";
import { writeKeyFile } from "../key-file.ts";
import { print, printJson } from "../output.ts";
import { secretLines, secretsText } from "../secrets-file.ts";
import { meshKeyOf, newSecrets } from "../state-folder.ts";

const usage = "keygen [--out FILE] [--force] | keygen --mesh [--out FILE]";

/** Git ignores files of this name in the folder of the project. */
const KEY_FILE = "muster-key.json";

const OPTIONS = {
  out: { type: "string" },
  force: { type: "boolean", default: false },
  mesh: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** Generates the key of a peer, or the secrets of a mesh. */
export const keygen = command({
  usage,
  summary: "generate the key file of a peer, or with --mesh the secrets of a mesh",
  details: [
    ["--out FILE", `the new file, which only its owner can read; default for a peer: ${KEY_FILE}`],
    ["--force", "overwrite an existing key file of a peer: the old key is lost"],
    ["--mesh", "four new secrets, for `wrangler secret bulk FILE`; without --out they are printed"],
    ["--json", "print JSON"],
  ],
  examples: ["keygen --out lab-key.json", "keygen --mesh --out mesh.secrets"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const { out, force, json } = values;
    if (!values.mesh) await makePeerKey(out ?? KEY_FILE, force, json);
    else if (force)
      throw new UsageError(
        "--force does not apply to --mesh, because a mesh is lost with its secrets",
        "choose another --out, or move the old file",
      );
    else await makeMeshSecrets(out, json);
    return 0;
  },
});

async function makeMeshSecrets(out: string | undefined, json: boolean): Promise<void> {
  const secrets = newSecrets();
  if (out === undefined) {
    if (json) printJson(secrets);
    else print(secretLines(secrets));
    return;
  }
  if (!(await writeNewFile(out, secretsText(secrets))))
    throw new Failure(
      `${out} exists already`,
      "choose another --out: the keys of a mesh cannot be made again",
    );
  const created = { mesh_key: meshKeyOf(secrets), file: out };
  if (json) printJson(created);
  else {
    print(`mesh key  ${created.mesh_key}`);
    print(`secrets   ${created.file} (keep it secret, and keep a copy)`);
  }
}

async function makePeerKey(out: string, force: boolean, json: boolean): Promise<void> {
  const keys = generateIdentity();
  await writeKeyFile(out, { keys, createdAt: new Date().toISOString() }, force);
  const created = { id: keys.id, public_key: toHex(keys.publicKey), file: out };
  if (json) printJson(created);
  else {
    print(`peer ID     ${created.id}`);
    print(`public key  ${created.public_key}`);
    print(`key file    ${created.file} (keep it secret)`);
  }
}
