import { rename, rm } from "node:fs/promises";
import { toHex } from "../../base/bytes.ts";
import { connectPeer, generateIdentity, PeerError, type KeyPair } from "../../client/index.ts";
import { readArgs, type Command } from "../args.ts";
import { eventLine } from "../event-line.ts";
import { Failure } from "../failure.ts";
import { readKeyFile, writeKeyFile, type StoredKey } from "../key-file.ts";
import { note, print } from "../output.ts";
import { pinnedConnection, type PinnedConnection } from "../pin.ts";
import { secretDetails } from "../secrets.ts";
import { peerTargetOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "rotate [URL|LINK] [--link-file FILE] --key-file FILE";

/** Replaces the key of a peer. */
export const rotate: Command = {
  usage,
  summary: "replace the key of a peer; the peer keeps its record and its rights",
  details: [
    ["--key-file FILE", "the key file; it receives the new key, and FILE.old keeps the old one"],
    ["--mesh-key HEX", "the public key that the mesh must prove"],
    ...secretDetails("link", "a link: URL and key of the mesh"),
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const options = {
      ...TARGET_OPTIONS,
      "key-file": { type: "string", default: "muster-key.json" },
      "link-file": { type: "string" },
      "mesh-key": { type: "string" },
    } as const;
    const { values, positionals } = readArgs(argv, options, { min: 0, max: 1, usage });
    const target = await peerTargetOf(values, positionals[0]);
    const file = values["key-file"];
    const old = await readKeyFile(file);
    const pin = await pinnedConnection(target, values["mesh-key"]);
    const fresh = { keys: generateIdentity(), createdAt: new Date().toISOString() };
    await writeFreshKey(`${file}.new`, fresh);
    await rotateKey(pin, old.keys, fresh.keys, `${file}.new`);
    // At every moment `file` is a whole key file, and both keys are stored.
    await writeKeyFile(`${file}.old`, old, true);
    await rename(`${file}.new`, file);
    print(`peer ID     ${fresh.keys.id}`);
    print(`public key  ${toHex(fresh.keys.publicKey)}`);
    print(`key file    ${file} (the old key, now revoked, is in ${file}.old)`);
    return 0;
  },
};

/** Writes the new key before the mesh receives it: from then on the old key may be revoked. */
async function writeFreshKey(path: string, fresh: StoredKey): Promise<void> {
  await writeKeyFile(path, fresh, false).catch((error: unknown) => {
    throw new Failure(
      error instanceof Error ? error.message : String(error),
      "another rotation of this key runs or was interrupted: if the mesh has the key in this file, rename it, else remove it",
    );
  });
}

async function rotateKey(
  pin: PinnedConnection,
  old: KeyPair,
  fresh: KeyPair,
  freshFile: string,
): Promise<void> {
  let isSent = false;
  try {
    const peer = connectPeer({
      ...pin,
      privateKey: old,
      slots: 0,
      onEvent: (event) => note(eventLine(event)),
    });
    await peer.ready;
    isSent = true;
    await peer.rotate(fresh);
    await peer.close("its key was rotated");
  } catch (error) {
    const isRefused = error instanceof PeerError && error.code === "rotation_failed";
    if (!isSent || isRefused) await rm(freshFile, { force: true }); // the mesh does not have it
    throw error;
  }
}
