import { toHex } from "../../base/bytes.ts";
import { connectPeer } from "../../client/index.ts";
import { command } from "../command.ts";
import { eventLine } from "../event-line.ts";
import { note, print, printJson } from "../output.ts";
import { pinnedConnection } from "../pin.ts";
import { replaceKey } from "../replace-key.ts";
import { secretDetails } from "../secrets.ts";
import { PEER_TARGET_DETAILS, PEER_TARGET_OPTIONS, peerTargetOf } from "../target.ts";

const usage = "rotate [URL|LINK] [--link-file FILE] --key-file FILE";

const OPTIONS = {
  ...PEER_TARGET_OPTIONS,
  "key-file": { type: "string", default: "muster-key.json" },
  "link-file": { type: "string" },
  "mesh-key": { type: "string" },
} as const;

/** Replaces the key of a peer. */
export const rotate = command({
  usage,
  summary: "replace the key of a peer; the peer keeps its record and its rights",
  details: [
    ["--key-file FILE", "the key file; it receives the new key, and FILE.old keeps the old one"],
    ["--mesh-key HEX", "the public key that the mesh must prove"],
    ...secretDetails("link", "a link: URL and key of the mesh"),
    ...PEER_TARGET_DETAILS,
  ],
  examples: ["rotate https://mesh.example --key-file lab-key.json"],
  options: OPTIONS,
  arguments: ["[URL or LINK]"],
  run: async (values, positionals) => {
    const target = await peerTargetOf(values, positionals[0]);
    const pin = await pinnedConnection(target, values["mesh-key"]);
    const { keys: fresh, file } = await replaceKey(values["key-file"], (privateKey) =>
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
});
