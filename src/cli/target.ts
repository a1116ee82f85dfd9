import { controller, type Controller } from "../client/index.ts";
import type { Details, Values } from "./args.ts";
import { Failure } from "./failure.ts";
import {
  readMeshFile,
  readSecrets,
  STATE_FOLDER,
  stateFolder,
  type MeshFile,
} from "./state-folder.ts";

/** Options of every command that talks to a mesh. */
export const TARGET_OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  dir: { type: "string" },
  json: { type: "boolean" },
} as const;

export const TARGET_DETAILS: Details = [
  ["--url URL", "the mesh (MUSTER_URL; else the one that `muster start` runs from here)"],
  ["--token TOKEN", "a bearer token (MUSTER_TOKEN; else that mesh's own)"],
  ["--dir FOLDER", `where \`muster start\` keeps its mesh; default ${STATE_FOLDER}`],
  ["--json", "print JSON"],
];

export interface Target {
  readonly url: string;
  readonly token: string | undefined;
  /** Known when the mesh is the one that runs from here. */
  readonly meshKey: string | undefined;
}

type TargetValues = Partial<Values<typeof TARGET_OPTIONS>>;

/**
 * Which mesh is meant. The state folder's token and key go to the state folder's mesh alone: a URL given by hand may
 * be anybody's.
 */
export async function targetOf(values: TargetValues): Promise<Target> {
  const folder = stateFolder(values.dir ?? STATE_FOLDER);
  const local = await readMeshFile(folder);
  const url = values.url ?? environment("MUSTER_URL") ?? local?.url;
  if (url === undefined) {
    throw new Failure("no mesh is named", "give --url or MUSTER_URL, or run `muster start` here");
  }
  const token = values.token ?? environment("MUSTER_TOKEN");
  if (!isSameMesh(url, local)) return { url, token, meshKey: undefined };
  const own = token === undefined ? await readSecrets(folder) : null;
  return { url, token: token ?? own?.ADMIN_TOKEN, meshKey: local?.mesh_key };
}

/** The controller of the mesh that is meant. */
export async function controllerOf(values: TargetValues): Promise<Controller> {
  const { url, token } = await targetOf(values);
  return controller({ url, ...(token !== undefined && { token }) });
}

const isSameMesh = (url: string, local: MeshFile | null): boolean =>
  local !== null && URL.canParse(url) && new URL(url).origin === new URL(local.url).origin;

function environment(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}
