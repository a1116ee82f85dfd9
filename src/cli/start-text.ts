import type { AuthMode } from "../protocol/http.ts";
import { quoted } from "./join-command.ts";
import { STATE_FOLDER } from "./state-folder.ts";
import { commandName, quotedCommand } from "./command-name.ts";

export interface StartedMesh {
  readonly url: string;
  /** Where others reach it, if the operator says so. */
  readonly publicUrl: string | null;
  readonly meshKey: string;
  /** The folder of `--dir`. */
  readonly dir: string;
  /** The file with the admin token. */
  readonly secretsFile: string;
  readonly stateFolder: string;
  /** The auth mode in force. */
  readonly mode: AuthMode;
  /** The mode in which a mesh starts on this address and with these options, if no other was set over HTTP. */
  readonly startingMode: AuthMode;
  /** Whether only this machine reaches it. */
  readonly isLoopback: boolean;
}

/** What `muster start` prints when the mesh runs: where it is, who may join, and the next commands. */
export function startText(mesh: StartedMesh): string[] {
  const { url, publicUrl, meshKey, mode, dir } = mesh;
  // The commands find the mesh by its folder.
  const where = dir === STATE_FOLDER ? "" : ` --dir ${quoted(dir)}`;
  return [
    `Muster is running at ${url}`,
    "",
    ...(publicUrl === null ? [] : [`  public URL   ${publicUrl}`]),
    `  mesh key     ${meshKey}`,
    `  admin token  in ${mesh.secretsFile} (ADMIN_TOKEN)`,
    `  state        ${mesh.stateFolder}`,
    `  auth mode    ${mode}: ${whoMayJoin(mesh)}`,
    ...(mode === mesh.startingMode
      ? []
      : [
          `               set before, and not by this command; ${quotedCommand(`mesh auth-mode ${mesh.startingMode}${where}`)} changes it`,
        ]),
    "",
    ...(mode === "open" ? joinLines(mesh, where) : admitLines(where)),
    `Submit a task:      ${commandName()} assign count '"hello"' --wait${where}`,
    "",
    "Ctrl-C stops it.",
  ];
}

function whoMayJoin({ mode, isLoopback }: StartedMesh): string {
  if (mode === "allowlist") return "only listed keys and holders of a join key may join";
  const who = isLoopback ? "any program on this machine" : "ANYONE who reaches this address";
  return `${who} may join, and reads the payloads of the tasks that it gets`;
}

const joinLines = (
  { url, publicUrl, meshKey, isLoopback }: StartedMesh,
  where: string,
): string[] => [
  `Join it here:       ${commandName()} join --exec 'wc -c'${where}`,
  `${isLoopback ? "From other folders:" : "Join it remotely:  "} ${commandName()} join ${publicUrl ?? url} --mesh-key ${meshKey} --exec 'wc -c'`,
];

const admitLines = (where: string): string[] => [
  `Admit a peer:       ${commandName()} join-key create${where}     # prints the command with which the peer joins`,
  `  or, by its key:   ${commandName()} allow PUBLIC_KEY${where}`,
];
