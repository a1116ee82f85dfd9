import { controller, readMeshLink, type MeshClient } from "../client/index.ts";
import type { Details, Values } from "./args.ts";
import { UsageError } from "./failure.ts";
import { knownMesh } from "./known-meshes.ts";
import { noteMissingCells } from "./missing-cells.ts";
import { readSecret } from "./secrets.ts";
import {
  readMeshFile,
  readSecrets,
  defaultFolder,
  FOLDER_DEFAULT,
  noMeshIn,
  stateFolder,
  type MeshFile,
} from "./state-folder.ts";
import { quotedCommand } from "./command-name.ts";
import { environment } from "./environment.ts";

/** The options of every command that calls a mesh. */
export const TARGET_OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  "token-file": { type: "string" },
  dir: { type: "string" },
  json: { type: "boolean" },
} as const;

export const TARGET_DETAILS: Details = [
  [
    "--url URL",
    "the mesh, or its muster:// link; default: MUSTER_URL, else that of the state folder",
  ],
  [
    "--token-file FILE",
    "a bearer token (- reads stdin); default: MUSTER_TOKEN, else the state folder's",
  ],
  ["--token TOKEN", "the same as an argument, which other users of this machine can see"],
  ["--dir FOLDER", `the state folder of the mesh; ${FOLDER_DEFAULT}`],
  ["--json", "print JSON"],
];

const { token: _token, "token-file": _file, ...WITHOUT_TOKEN } = TARGET_OPTIONS;
/** The options of a command that joins a mesh: a peer proves its key, and sends no token. */
export const PEER_TARGET_OPTIONS = WITHOUT_TOKEN;
export const PEER_TARGET_DETAILS: Details = TARGET_DETAILS.filter(
  ([option]) => !option.startsWith("--token"),
);

export interface Target {
  readonly url: string;
  /** Where others reach the mesh, if it is that of the state folder. */
  readonly publicUrl: string | undefined;
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
  const folder = stateFolder(values.dir ?? defaultFolder());
  const local = await readMeshFile(folder);
  const url = values.url ?? urlOfFolder(values.dir, local);
  if (values.dir !== undefined && url !== undefined && !isSameMesh(url, local))
    throw new UsageError(
      `--dir has no effect: ${values.dir} has ${local === null ? "no mesh" : `the mesh ${local.url}`}, and the call names another one`,
      "leave --dir or the URL out",
    );
  if (url === undefined) {
    throw new UsageError(
      "no mesh is selected",
      `pass --url, --dir with the folder of a mesh of this machine, or set MUSTER_URL; ${quotedCommand("start")} starts a mesh in this folder`,
    );
  }
  const token = await readSecret("token", { value: values.token, file: values["token-file"] });
  if (!isSameMesh(url, local)) return { url, publicUrl: undefined, token, meshKey: undefined };
  const own = token === undefined ? await readSecrets(folder) : null;
  return {
    url,
    publicUrl: local?.public_url ?? local?.url,
    token: token ?? own?.ADMIN_TOKEN,
    meshKey: local?.mesh_key,
  };
}

/**
 * The URL by which others reach the mesh that the options select, for links and hints: its PUBLIC_URL, which the state folder remembers and the
 * mesh states, else the URL that selects it.
 */
export async function publicUrlOf(values: TargetValues): Promise<string> {
  const { url, publicUrl } = await targetOf({ url: values.url, dir: values.dir });
  if (publicUrl !== undefined) return publicUrl;
  const { public_url } = await controller({ url }).settings.mesh();
  return public_url ?? readMeshLink(url)?.url ?? url;
}

/** The mesh of the folder that is given, else that of the environment, else that of the default folder. */
function urlOfFolder(dir: string | undefined, local: MeshFile | null): string | undefined {
  const url = dir === undefined ? environment("MUSTER_URL") : undefined;
  if (url !== undefined || local !== null) return url ?? local?.url;
  const named = dir ?? environment("MUSTER_DIR");
  if (named === undefined) return undefined;
  throw noMeshIn(named, dir === undefined ? " (MUSTER_DIR)" : "");
}

/** The mesh that a peer joins, from the argument of the command, a link in a file or the environment, or the other options. */
export async function peerTargetOf(
  values: TargetValues & { readonly "link-file"?: string },
  argument: string | undefined,
): Promise<Target> {
  if (argument !== undefined && values.url !== undefined)
    throw new UsageError(
      "the mesh is given twice, as an argument and by --url",
      "pass one of them",
    );
  const isFolder =
    values.dir !== undefined && (argument ?? values.url ?? values["link-file"]) === undefined;
  if (isFolder) return targetOf(values);
  const link = await readSecret("link", {
    value: argument ?? values.url,
    file: values["link-file"],
  });
  return targetOf({ ...values, ...(link !== undefined && { url: link }) });
}

/**
 * The SDK's controller of the mesh that the options select. Results must have the signature of the mesh whose key is known: from
 * its link, from the state folder, or because the user has joined it.
 */
export async function controllerOf(values: TargetValues): Promise<MeshClient> {
  const { url, token, meshKey } = await targetOf(values);
  const isLink = readMeshLink(url) !== null;
  const known = isLink || meshKey !== undefined ? null : await knownMesh(url);
  return controller({
    url,
    onMissingCells: noteMissingCells,
    ...(token !== undefined && { token }),
    ...(meshKey !== undefined && { meshKey }),
    ...(known !== null && { meshKey: known.key }),
    ...(known !== null && known.next !== null && { nextMeshKey: known.next }),
  });
}

const isSameMesh = (url: string, local: MeshFile | null): boolean =>
  local !== null && URL.canParse(url) && new URL(url).origin === new URL(local.url).origin;
