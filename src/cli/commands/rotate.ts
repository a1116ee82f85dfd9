import { rename } from "node:fs/promises";
import { toHex } from "../../base/bytes.ts";
import { connectPeer, generateIdentity } from "../../client/index.ts";
import { readArgs, type Command } from "../args.ts";
import { eventLine } from "../event-line.ts";
import { readKeyFile, writeKeyFile } from "../key-file.ts";
import { note, print } from "../output.ts";
import { targetOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { pinnedConnection } from "../pin.ts";

const usage = "rotate [URL] --key-file FILE";

/** Replaces the key of a peer. */
export const rotate: Command = {
  usage,
  summary: "replace the key of a peer; the peer keeps its record and its rights",
  details: [
    ["--key-file FILE", "the key file; it receives the new key, and FILE.old keeps the old one"],
    ["--mesh-key HEX", "the public key that the mesh must prove"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const options = {
      ...TARGET_OPTIONS,
      "key-file": { type: "string", default: "muster-key.json" },
      "mesh-key": { type: "string" },
    } as const;
    const { values, positionals } = readArgs(argv, options, { min: 0, max: 1, usage });
    const url = positionals[0] ?? values.url;
    const target = await targetOf({ ...values, ...(url !== undefined && { url }) });
    const file = values["key-file"];
    const old = await readKeyFile(file);
    const fresh = { keys: generateIdentity(), createdAt: new Date().toISOString() };
    // Write the new key before the mesh receives it: from then on the old key may be revoked.
    await writeKeyFile(`${file}.new`, fresh, false);
    const pin = await pinnedConnection(target, values["mesh-key"]);
    const peer = connectPeer({
      ...pin,
      privateKey: old.keys,
      slots: 0,
      onEvent: (event) => note(eventLine(event)),
    });
    await peer.ready;
    await peer.rotate(fresh.keys);
    await peer.close("its key was rotated");
    await rename(file, `${file}.old`);
    await rename(`${file}.new`, file);
    print(`peer ID     ${fresh.keys.id}`);
    print(`public key  ${toHex(fresh.keys.publicKey)}`);
    print(`key file    ${file} (the old key, now revoked, is in ${file}.old)`);
    return 0;
  },
};
