import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { fromHex, toHex } from "../base/bytes.ts";
import { parseJson } from "../base/json.ts";
import { generateIdentity, identityFrom } from "../client/index.ts";
import { Failure } from "./failure.ts";
import { PRIVATE_FOLDER, readIfThere, replaceFile, writeNew } from "./files.ts";

/** Where `muster start` keeps a mesh, below the current folder. */
export const STATE_FOLDER = ".muster";

/**
 * What lies in a state folder:
 *   secrets.env   the mesh's four secrets, made once (KEY=hex lines)
 *   mesh.json     where the mesh was last started: {"url", "mesh_key"}
 *   lock          the process that runs the mesh: {"pid", "born", "nonce"}
 *   build/        the Worker that runs, bundled
 *   state/        workerd's Durable Objects and KV
 *   logs/, cache/ wrangler's own
 */
export interface StateFolder {
  readonly root: string;
  readonly secrets: string;
  readonly mesh: string;
  readonly lock: string;
  readonly build: string;
  readonly state: string;
  readonly logs: string;
  readonly cache: string;
}

export function stateFolder(dir: string): StateFolder {
  const root = resolve(dir);
  const at = (name: string): string => join(root, name);
  return {
    root,
    secrets: at("secrets.env"),
    mesh: at("mesh.json"),
    lock: at("lock"),
    build: at("build"),
    state: at("state"),
    logs: at("logs"),
    cache: at("cache"),
  };
}

export async function makeStateFolder(folder: StateFolder): Promise<void> {
  await mkdir(folder.root, { recursive: true, mode: PRIVATE_FOLDER });
}

export const SECRET_NAMES = [
  "ADMIN_TOKEN",
  "MESH_IDENTITY_KEY",
  "MESH_DISCOVERY_KEY",
  "MESH_SIGNING_KEY",
] as const;
export type Secrets = { readonly [Name in (typeof SECRET_NAMES)[number]]: string };

/** Four fresh secrets of 32 random bytes each, as wrangler's `secret put` takes them. */
export const newSecrets = (): Secrets => ({
  ADMIN_TOKEN: toHex(generateIdentity().privateKey),
  MESH_IDENTITY_KEY: toHex(generateIdentity().privateKey),
  MESH_DISCOVERY_KEY: toHex(generateIdentity().privateKey),
  MESH_SIGNING_KEY: toHex(generateIdentity().privateKey),
});

export const secretLines = (secrets: Secrets): string =>
  SECRET_NAMES.map((name) => `${name}=${secrets[name]}\n`).join("");

/** The folder's secrets, made on first use and never changed afterwards. */
export async function ensureSecrets(folder: StateFolder): Promise<Secrets> {
  await makeStateFolder(folder);
  await writeNew(folder.secrets, secretLines(newSecrets()));
  const secrets = await readSecrets(folder);
  if (secrets === null) throw new Failure(`${folder.secrets} vanished`);
  return secrets;
}

/** Null when the folder holds no mesh. */
export async function readSecrets(folder: StateFolder): Promise<Secrets | null> {
  const text = await readIfThere(folder.secrets);
  if (text === null) return null;
  const found = Object.fromEntries(
    SECRET_NAMES.map((name) => [name, new RegExp(`^${name}=(\\S+)$`, "m").exec(text)?.[1]]),
  );
  const missing = SECRET_NAMES.find((name) => found[name] === undefined);
  if (missing !== undefined) throw new Failure(`${folder.secrets} lacks ${missing}`);
  return found as Secrets;
}

/** The public half of the mesh's identity key, in hex: what peers pin. */
export function meshKeyOf({ MESH_IDENTITY_KEY }: Secrets): string {
  const privateKey = fromHex(MESH_IDENTITY_KEY);
  if (privateKey === null) throw new Failure("MESH_IDENTITY_KEY is not hex");
  return toHex(identityFrom(privateKey).publicKey);
}

const MeshFile = z.object({ url: z.url(), mesh_key: z.string() });
export type MeshFile = z.infer<typeof MeshFile>;

export const writeMeshFile = (folder: StateFolder, mesh: MeshFile): Promise<void> =>
  replaceFile(folder.mesh, `${JSON.stringify(mesh, null, 2)}\n`);

/** Where the folder's mesh was last started; null when it never was. */
export async function readMeshFile(folder: StateFolder): Promise<MeshFile | null> {
  const text = await readIfThere(folder.mesh);
  if (text === null) return null;
  const mesh = MeshFile.safeParse(parseJson(text));
  if (!mesh.success) throw new Failure(`${folder.mesh} can't be read`, "start the mesh again");
  return mesh.data;
}
