import { dirname, join } from "node:path";
import { generateIdentity } from "../../client/index.ts";
import { apiBase } from "../../client/urls.ts";
import { Failure, UsageError } from "../failure.ts";
import { makeFolder, readFileIfExists, unwritable } from "../files.ts";
import { readKeyFile, writeKeyFile, type StoredKey } from "../key-file.ts";
import { tryLock } from "../lock.ts";
import { stateFolder } from "../state-folder.ts";

/** More peers of one mesh than run from one folder. */
const KEYS_MAX = 1_000;

/** The key of a peer, and where it is kept. */
export interface PeerKey extends StoredKey {
  /** Null if it is kept nowhere. */
  readonly path: string | null;
  /** Another process may use the key from now on. */
  readonly release: () => Promise<void>;
}

export const newKey = (): StoredKey => ({
  keys: generateIdentity(),
  createdAt: new Date().toISOString(),
});

/**
 * The key that the state folder keeps for peers of the mesh at this URL. Each process has a key of its own: the first one that no other
 * process uses. Without such a key a new one is kept if `create` is set; else the result is null.
 */
export async function storedPeerKey(
  dir: string,
  url: string,
  create: boolean,
): Promise<PeerKey | null> {
  for (let n = 1; n <= KEYS_MAX; n++) {
    const path = keyPath(dir, url, n);
    const exists = (await readFileIfExists(path)) !== null;
    if (!exists && !create) return null;
    if (!exists) await makeKeyFolder(dirname(path));
    const release = await tryLock(`${path}.lock`);
    if (typeof release !== "function") continue;
    if ((await readFileIfExists(path)) === null) await writeKeyFile(path, newKey(), false);
    return { ...(await readOwnKey(path)), path, release };
  }
  throw new Failure(`${KEYS_MAX} peers of this mesh run from this folder`, "pass --key-file");
}

/** What is wrong with a file that Muster keeps is no error of the call. */
const readOwnKey = (path: string): Promise<StoredKey> =>
  readKeyFile(path).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    const remedy = "move it away to join with a new key, or put the right file back from a backup";
    throw new Failure(error.message, remedy);
  });

/** `.muster/peers/mesh.example.json`, then `mesh.example-2.json`. */
function keyPath(dir: string, url: string, n: number): string {
  const { host, pathname } = new URL(apiBase(url));
  const name = `${host}${pathname}`.replace(/\/$/, "").replaceAll(/[^\w.-]/g, "_");
  return join(stateFolder(dir).peers, `${name}${n === 1 ? "" : `-${n}`}.json`);
}

async function makeKeyFolder(path: string): Promise<void> {
  await makeFolder(path).catch((error: unknown) => {
    throw unwritable(path, error);
  });
}
