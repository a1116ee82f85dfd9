import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { toHex } from "../base/bytes.ts";
import { parseJson } from "../base/json.ts";
import { generateIdentity, identityFrom } from "../client/index.ts";
import { AuthMode } from "../protocol/http.ts";
import { keyBytes } from "../protocol/ids.ts";
import { databaseIn } from "./backup/object-file.ts";
import { environment } from "./environment.ts";
import { quotedCommand } from "./command-name.ts";
import { Failure, UsageError } from "./failure.ts";
import { makeFolder, noFolder, readFileIfExists, replaceFile, writeNewFile } from "./files.ts";
import { quoted } from "./join-command.ts";
import { readPrivateFile } from "./private-file.ts";
import { secretsIn, secretsText, type Secrets } from "./secrets-file.ts";

/** Where `muster start` stores a mesh, relative to the current folder. */
export const STATE_FOLDER = ".muster";

/** The state folder if no option names one: that of the environment, else the one in the current folder. */
export const defaultFolder = (): string => environment("MUSTER_DIR") ?? STATE_FOLDER;

/** What the help says of `--dir`. */
export const FOLDER_DEFAULT = `default: MUSTER_DIR, else ${STATE_FOLDER}`;

/**
 * The contents of a state folder:
 *   secrets.env   the four secrets of the mesh, generated once (KEY=hex lines)
 *   version.json  the version of Muster that has written the folder last (`folder-version.ts`)
 *   mesh.json     URL, key and auth mode of the mesh when it last started, and its PUBLIC_URL if it has one: {"url", "mesh_key", "auth_mode", "public_url"}
 *   lock          the process that runs the mesh: {"pid", "born", "nonce"} (`lock.ts`)
 *   peers/        the keys of peers that joined from here by a join key: HOST.json (`join/peer-key.ts`)
 *   state/        Durable Objects and KV of workerd, as SQLite databases
 *   run/          what each start writes anew: the bundled Workers, workerd's configuration, its Unix socket
 */
export interface StateFolder {
  readonly root: string;
  readonly secrets: string;
  readonly version: string;
  readonly mesh: string;
  readonly lock: string;
  readonly peers: string;
  readonly state: string;
  readonly run: string;
}

export function stateFolder(dir: string): StateFolder {
  const root = resolve(dir);
  const at = (name: string): string => join(root, name);
  return {
    root,
    secrets: at("secrets.env"),
    version: at("version.json"),
    mesh: at("mesh.json"),
    lock: at("lock"),
    peers: at("peers"),
    state: at("state"),
    run: at("run"),
  };
}

export async function makeStateFolder({ root }: StateFolder): Promise<void> {
  await makeFolder(root).catch((error: unknown) => {
    throw noFolder(root, error, "choose another folder with --dir");
  });
}

/** The error about a folder without a mesh: what is there instead, and how to get one. `from` says where the name of the folder comes from. */
export function noMeshIn(dir: string, from = ""): UsageError {
  const about = statSync(dir, { throwIfNoEntry: false });
  const why =
    about === undefined
      ? ": it does not exist"
      : about.isDirectory()
        ? ""
        : ": it is a file, and no folder";
  return new UsageError(
    `${dir}${from} has no mesh${why}`,
    `name the folder of a mesh with --dir, or start one: ${quotedCommand(`start --dir ${quoted(dir)}`)}`,
  );
}

/** Four new secrets of 32 random bytes each, in the format that `wrangler secret put` accepts. */
export const newSecrets = (): Secrets => ({
  ADMIN_TOKEN: toHex(generateIdentity().privateKey),
  MESH_IDENTITY_KEY: toHex(generateIdentity().privateKey),
  MESH_DISCOVERY_KEY: toHex(generateIdentity().privateKey),
  MESH_SIGNING_KEY: toHex(generateIdentity().privateKey),
});

/**
 * The secrets of the folder, generated on first use and never changed afterwards. A mesh that has run has secrets: with others it would be
 * another mesh on the same database.
 */
export async function ensureSecrets(folder: StateFolder): Promise<Secrets> {
  await makeStateFolder(folder);
  if (!existsSync(folder.secrets)) await expectNew(folder);
  await writeNewFile(folder.secrets, secretsText(newSecrets()));
  const secrets = await readSecrets(folder);
  if (secrets === null) throw new Failure(`${folder.secrets} was deleted while the mesh started`);
  return secrets;
}

async function expectNew({ root, secrets, state, ...folder }: StateFolder): Promise<void> {
  const mesh = await readMeshFile(folder);
  if (mesh === null && !existsSync(databaseIn(join(state, "objects")))) return;
  const which = mesh === null ? "" : ` with the key ${mesh.mesh_key}`;
  throw new Failure(
    `the secrets of the mesh in ${root} are not there: ${secrets} does not exist`,
    `put the file back, or give the secrets of the mesh${which} by --secrets or in the environment; a new mesh needs another folder`,
  );
}

/** The secrets of the folder; null when it holds no mesh. */
export async function readSecrets(folder: StateFolder): Promise<Secrets | null> {
  const text = await readPrivateFile(folder.secrets);
  return text === null ? null : secretsIn(text, folder.secrets);
}

/** The public key of the mesh, in hex, which peers pin. */
export function meshKeyOf({ MESH_IDENTITY_KEY }: Secrets): string {
  const privateKey = keyBytes(MESH_IDENTITY_KEY);
  if (privateKey === null)
    throw new Failure(
      "MESH_IDENTITY_KEY is not 32 bytes in hex or base64",
      "give the mesh the key that it was made with: another one makes it another mesh",
    );
  return toHex(identityFrom(privateKey).publicKey);
}

const MeshFile = z.object({
  url: z.url(),
  mesh_key: z.string(),
  /** Where others reach the mesh. */
  public_url: z.url().optional(),
  /** Earlier versions did not write it. */
  auth_mode: AuthMode.optional(),
});
export type MeshFile = z.infer<typeof MeshFile>;

export const writeMeshFile = (folder: StateFolder, mesh: MeshFile): Promise<void> =>
  replaceFile(folder.mesh, `${JSON.stringify(mesh, null, 2)}\n`);

/** URL and key of the folder's mesh when it last started; null when it never did. */
export async function readMeshFile(folder: Pick<StateFolder, "mesh">): Promise<MeshFile | null> {
  const text = await readFileIfExists(folder.mesh);
  if (text === null) return null;
  const mesh = MeshFile.safeParse(parseJson(text));
  if (!mesh.success) throw new Failure(`${folder.mesh} is not valid`, "start the mesh again");
  return mesh.data;
}

/** The auth mode in which the folder's mesh last started; null if that is not known. */
export async function lastAuthMode(folder: StateFolder): Promise<AuthMode | null> {
  const text = await readFileIfExists(folder.mesh);
  return MeshFile.safeParse(parseJson(text ?? "")).data?.auth_mode ?? null;
}
