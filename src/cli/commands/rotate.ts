import { toHex } from "../../base/bytes.ts";
import { connectPeer } from "../../client/index.ts";
import { readArgs, type Command } from "../args.ts";
import { eventLine } from "../event-line.ts";
import { note, print, printJson } from "../output.ts";
import { pinnedConnection } from "../pin.ts";
import { replaceKey } from "../replace-key.ts";
import { secretDetails } from "../secrets.ts";
import { PEER_TARGET_DETAILS, PEER_TARGET_OPTIONS, peerTargetOf } from "../target.ts";

const usage = "rotate [URL|LINK] [--link-file FILE] --key-file FILE";

/** Replaces the key of a peer. */
export const rotate: Command = {
  usage,
  summary: "replace the key of a peer; the peer keeps its record and its rights",
  details: [
    ["--key-file FILE", "the key file; it receives the new key, and FILE.old keeps the old one"],
    ["--mesh-key HEX", "the public key that the mesh must prove"],
    ...secretDetails("link", "a link: URL and key of the mesh"),
    ...PEER_TARGET_DETAILS,
  ],
  run: async (argv) => {
    const options = {
      ...PEER_TARGET_OPTIONS,
      "key-file": { type: "string", default: "muster-key.json" },
      "link-file": { type: "string" },
      "mesh-key": { type: "string" },
    } as const;
    const { values, positionals } = readArgs(argv, options, { min: 0, max: 1, usage });
    const target = await peerTargetOf(values, positionals[0]);
    const file = values["key-file"];
    const pin = await pinnedConnection(target, values["mesh-key"]);
    const fresh = await replaceKey(file, (privateKey) =>
      connectPeer({ ...pin, privateKey, slots: 0, onEvent: (event) => note(eventLine(event)) }),
    );
    const publicKey = toHex(fresh.publicKey);
    if (values.json === true) {
      printJson({ id: fresh.id, public_key: publicKey, file, old_file: `${file}.old` });
      return 0;
    }
    print(`peer ID     ${fresh.id}`);
    print(`public key  ${publicKey}`);
    print(`key file    ${file} (the old key, now revoked, is in ${file}.old)`);
    return 0;
  },
};
