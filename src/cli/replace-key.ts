import { lstat, realpath, rename, rm } from "node:fs/promises";
import { generateIdentity, PeerError, type KeyPair, type Peer } from "../client/index.ts";
import { Failure } from "./failure.ts";
import { readKeyFile, writeKeyFile, type StoredKey } from "./key-file.ts";

/** Connects the peer that has this key. */
export type ConnectWith = (key: KeyPair) => Pick<Peer, "ready" | "rotate" | "close">;

interface Replaced {
  readonly keys: KeyPair;
  /** The file with the new key. The old one is beside it, with `.old` after its name. */
  readonly file: string;
}

/**
 * Replaces the key of a peer at its mesh and in its key file, and returns the new key. At every moment `path` is a whole key file, and
 * both keys are stored from before the mesh receives the new one. A symbolic link, as of a folder of settings that is kept
 * elsewhere, stays one: the keys are in the folder of the file that it leads to.
 */
export async function replaceKey(path: string, connect: ConnectWith): Promise<Replaced> {
  const old = await readKeyFile(path);
  const file = (await lstat(path)).isSymbolicLink() ? await realpath(path) : path;
  const fresh = { keys: generateIdentity(), createdAt: new Date().toISOString() };
  await writeFreshKey(`${file}.new`, fresh);
  await rotateKey(connect, old.keys, fresh.keys, `${file}.new`);
  await writeKeyFile(`${file}.old`, old, true);
  await rename(`${file}.new`, file);
  return { keys: fresh.keys, file };
}

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
  connect: ConnectWith,
  old: KeyPair,
  fresh: KeyPair,
  freshFile: string,
): Promise<void> {
  let isSent = false;
  try {
    const peer = connect(old);
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
