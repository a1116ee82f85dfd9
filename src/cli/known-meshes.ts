import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseJson } from "../base/json.ts";
import { apiBase } from "../client/urls.ts";
import { Failure } from "./failure.ts";
import { makeFolder, readFileIfExists, replaceFile } from "./files.ts";
import { withLock } from "./lock.ts";

/** The key that a mesh proved when this user first joined it, and the next key that it announced. */
const KnownMesh = z.object({ key: z.string(), next: z.string().nullable() });
export type KnownMesh = z.infer<typeof KnownMesh>;
const KnownMeshes = z.record(z.string(), KnownMesh);

/** In the user's settings folder, like the `known_hosts` of ssh: it does not depend on the current folder. */
function knownMeshesFile(): string {
  const configured = process.env["XDG_CONFIG_HOME"] ?? "";
  return join(
    configured === "" ? join(homedir(), ".config") : configured,
    "muster",
    "known-meshes.json",
  );
}

async function readKnownMeshes(): Promise<z.infer<typeof KnownMeshes>> {
  const file = knownMeshesFile();
  const text = await readFileIfExists(file);
  if (text === null) return {};
  const known = KnownMeshes.safeParse(parseJson(text));
  if (!known.success)
    throw new Failure(
      `${file} is not valid`,
      "repair it, or delete it and check the key of each mesh again",
    );
  return known.data;
}

/** The same for `ws:` and `http:` URLs of a mesh. Throws an `OptionsError` when the URL cannot be that of a mesh. */
const originOf = (url: string): string => new URL(apiBase(url)).origin;

/** What is known of the mesh at this URL; null when the user never joined it. */
export async function knownMesh(url: string): Promise<KnownMesh | null> {
  const origin = originOf(url);
  return (await readKnownMeshes())[origin] ?? null;
}

/**
 * Stores the keys of the mesh at this URL, and leaves what other processes store about other meshes. On the first connection
 * (`isFirst`) a key that another process has stored meanwhile stays: throws when it is a different one, because then two servers
 * answer at this URL.
 */
export async function rememberMesh(url: string, mesh: KnownMesh, isFirst: boolean): Promise<void> {
  const origin = originOf(url);
  const file = knownMeshesFile();
  const { [origin]: current } = await readKnownMeshes();
  if (current?.key === mesh.key && current.next === mesh.next) return;
  await makeFolder(dirname(file));
  await withLock(`${file}.lock`, async () => {
    const known = await readKnownMeshes();
    const other = known[origin]?.key ?? mesh.key;
    if (isFirst && other !== mesh.key)
      throw new Failure(
        `${origin} proved the key ${mesh.key} here, and ${other} to another process`,
        "ask the operator for the key of the mesh, and pass it with --mesh-key",
      );
    await replaceFile(file, `${JSON.stringify({ ...known, [origin]: mesh }, null, 2)}\n`);
  });
}
