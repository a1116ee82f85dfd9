import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseJson } from "../base/json.ts";
import { apiBase } from "../client/urls.ts";
import { Failure } from "./failure.ts";
import { PRIVATE_FOLDER, readIfThere, replaceFile } from "./files.ts";

/** What was learnt of a mesh when it was first met: its key, and the one that it announced as its next. */
const KnownMesh = z.object({ key: z.string(), next: z.string().nullable() });
export type KnownMesh = z.infer<typeof KnownMesh>;
const KnownMeshes = z.record(z.string(), KnownMesh);

/** Beside the user's other settings, as `known_hosts` is for ssh: it outlives folders and projects. */
export function knownMeshesFile(): string {
  const configured = process.env["XDG_CONFIG_HOME"] ?? "";
  return join(
    configured === "" ? join(homedir(), ".config") : configured,
    "muster",
    "known-meshes.json",
  );
}

async function readAll(): Promise<z.infer<typeof KnownMeshes>> {
  const file = knownMeshesFile();
  const text = await readIfThere(file);
  if (text === null) return {};
  const known = KnownMeshes.safeParse(parseJson(text));
  if (!known.success)
    throw new Failure(`${file} can't be read`, "mend it, or remove it and trust anew");
  return known.data;
}

/** A mesh is the same by `ws:` as by `http:`. Throws an `OptionsError` for what is no mesh's URL. */
const originOf = (url: string): string => new URL(apiBase(url)).origin;

/** Null for a mesh that was never met. */
export async function knownMesh(url: string): Promise<KnownMesh | null> {
  const origin = originOf(url);
  return (await readAll())[origin] ?? null;
}

export async function rememberMesh(url: string, mesh: KnownMesh): Promise<void> {
  const origin = originOf(url);
  const known = await readAll();
  if (known[origin]?.key === mesh.key && known[origin].next === mesh.next) return;
  const file = knownMeshesFile();
  await mkdir(dirname(file), { recursive: true, mode: PRIVATE_FOLDER });
  await replaceFile(file, `${JSON.stringify({ ...known, [origin]: mesh }, null, 2)}\n`);
}
