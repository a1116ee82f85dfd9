import type { AuthMode } from "../protocol/http.ts";

export interface StartedMesh {
  readonly url: string;
  readonly meshKey: string;
  /** The file with the admin token. */
  readonly secretsFile: string;
  readonly stateFolder: string;
  /** The auth mode in force. */
  readonly mode: AuthMode;
  /** The mode in which a mesh starts on this address and with these options, if no other was set over HTTP. */
  readonly startingMode: AuthMode;
  readonly isLoopback: boolean;
}

/** What `muster start` prints when the mesh runs: where it is, who may join, and the next commands. */
export function startText(mesh: StartedMesh): string[] {
  const { url, meshKey, mode } = mesh;
  return [
    `Muster is running at ${url}`,
    "",
    `  mesh key     ${meshKey}`,
    `  admin token  in ${mesh.secretsFile} (ADMIN_TOKEN)`,
    `  state        ${mesh.stateFolder}`,
    `  auth mode    ${mode}: ${whoMayJoin(mesh)}`,
    ...(mode === mesh.startingMode
      ? []
      : [
          `               set with \`muster mesh auth-mode\` before; \`npx muster mesh auth-mode ${mesh.startingMode}\` changes it`,
        ]),
    "",
    ...(mode === "open" ? joinLines(mesh) : ADMIT_LINES),
    "Submit a task:      npx muster assign count '\"hello\"' --wait",
    "",
    "Ctrl-C stops it.",
  ];
}

function whoMayJoin({ mode, isLoopback }: StartedMesh): string {
  if (mode === "allowlist") return "only listed keys and holders of a join key may join";
  const who = isLoopback ? "any program on this machine" : "ANYONE who reaches this address";
  return `${who} may join, and reads the payloads of the tasks that it gets`;
}

const joinLines = ({ url, meshKey }: StartedMesh): string[] => [
  "Join it here:       npx muster join --exec 'wc -c'",
  `Join it remotely:   npx muster join ${url} --mesh-key ${meshKey} --exec 'wc -c'`,
];

const ADMIT_LINES: readonly string[] = [
  "Admit a peer:       npx muster join-key create     # prints the command with which the peer joins",
  "  or, by its key:   npx muster allow PUBLIC_KEY",
];
