import { controller, type MeshClient } from "../client/index.ts";
import type { Details, Values } from "./args.ts";
import { Failure } from "./failure.ts";
import {
  readMeshFile,
  readSecrets,
  STATE_FOLDER,
  stateFolder,
  type MeshFile,
} from "./state-folder.ts";

/** The options of every command that calls a mesh. */
export const TARGET_OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  dir: { type: "string" },
  json: { type: "boolean" },
} as const;

export const TARGET_DETAILS: Details = [
  ["--url URL", "the mesh; default: MUSTER_URL, else the mesh of the state folder"],
  ["--token TOKEN", "a bearer token; default: MUSTER_TOKEN, else that of the state folder"],
  ["--dir FOLDER", `the state folder of \`muster start\`; default: ${STATE_FOLDER}`],
  ["--json", "print JSON"],
];

export interface Target {
  readonly url: string;
  readonly token: string | undefined;
  /** Known when the mesh is that of the state folder. */
  readonly meshKey: string | undefined;
}

type TargetValues = Partial<Values<typeof TARGET_OPTIONS>>;

/**
 * The mesh that the options select. The token and the key of the state folder are used only with the mesh of the state
 * folder: any other URL may belong to a stranger.
 */
export async function targetOf(values: TargetValues): Promise<Target> {
  const folder = stateFolder(values.dir ?? STATE_FOLDER);
  const local = await readMeshFile(folder);
  const url = values.url ?? environment("MUSTER_URL") ?? local?.url;
  if (url === undefined) {
    throw new Failure(
      "no mesh is selected",
      "pass --url or set MUSTER_URL, or run `muster start` in this folder",
    );
  }
  const token = values.token ?? environment("MUSTER_TOKEN");
  if (!isSameMesh(url, local)) return { url, token, meshKey: undefined };
  const own = token === undefined ? await readSecrets(folder) : null;
  return { url, token: token ?? own?.ADMIN_TOKEN, meshKey: local?.mesh_key };
}

/** The SDK's controller of the mesh that the options select. */
export async function controllerOf(values: TargetValues): Promise<MeshClient> {
  const { url, token } = await targetOf(values);
  return controller({ url, ...(token !== undefined && { token }) });
}

const isSameMesh = (url: string, local: MeshFile | null): boolean =>
  local !== null && URL.canParse(url) && new URL(url).origin === new URL(local.url).origin;

function environment(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}
