import { generateIdentity } from "../../client/index.ts";
import { toHex } from "../../base/bytes.ts";
import { readArgs, type Command } from "../args.ts";
import { writeKeyFile } from "../key-file.ts";
import { print, printJson } from "../output.ts";
import { newSecrets, secretLines } from "../state-folder.ts";

const usage = "keygen [--out FILE] [--force] | keygen --mesh";

/** Generates the key of a peer, or the secrets of a mesh. */
export const keygen: Command = {
  usage,
  summary: "generate the key file of a peer, or with --mesh the secrets of a mesh",
  details: [
    ["--out FILE", "the key file; default: muster-key.json"],
    ["--force", "overwrite an existing file: the old key is lost"],
    ["--mesh", "print four new secrets, for `wrangler secret put`"],
    ["--json", "print JSON"],
  ],
  run: async (argv) => {
    const { values } = readArgs(
      argv,
      {
        out: { type: "string", default: "muster-key.json" },
        force: { type: "boolean", default: false },
        mesh: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
      { min: 0, max: 0, usage },
    );
    if (values.mesh) {
      if (values.json) printJson(newSecrets());
      else print(secretLines(newSecrets()));
      return 0;
    }
    const keys = generateIdentity();
    await writeKeyFile(values.out, { keys, createdAt: new Date().toISOString() }, values.force);
    const created = { id: keys.id, public_key: toHex(keys.publicKey), file: values.out };
    if (values.json) printJson(created);
    else {
      print(`peer ID     ${created.id}`);
      print(`public key  ${created.public_key}`);
      print(`key file    ${created.file} (keep it secret)`);
    }
    return 0;
  },
};
