import { orAborted } from "../abort.ts";
import { command } from "../command.ts";
import { Failure, UsageError } from "../failure.ts";
import { isOnlyLocal, startingAuthMode } from "../listen-address.ts";
import { note, OutputEnded, print, printJsonLine } from "../output.ts";
import { loadServer } from "../server-package.ts";
import type { SettingSources } from "../server-module.ts";
import { givenSettings, HOST_DETAILS, SETTING_OPTIONS } from "../settings/setting-flags.ts";
import { Stopped, stopSignal } from "../signals.ts";
import { startText, type StartedMesh } from "../start-text.ts";
import { AuthMode } from "../../protocol/http.ts";

const usage = "start [--port N] [--host ADDRESS] [--open] [--dir FOLDER] [--SETTING VALUE]...";
const HOST_DEFAULT = "127.0.0.1";
/** Settings that only `muster serve` has: `start` prints for people, and speaks HTTP. */
const SERVE_ONLY = ["log", "tls-cert", "tls-key"];

const FLAGS = Object.fromEntries(
  Object.entries(SETTING_OPTIONS).filter(([flag]) => !SERVE_ONLY.includes(flag)),
);
const OPTIONS = {
  ...FLAGS,
  ip: { type: "string" },
  open: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** Runs a mesh on this machine until the user stops it. */
export const start = command({
  usage,
  summary: "run a mesh on this machine for trying it out; its state is stored in a folder",
  details: [
    ...HOST_DETAILS.filter(
      ([option]) => !SERVE_ONLY.includes(option.split(" ")[0]?.slice(2) ?? ""),
    ),
    ["--ip ADDRESS", "the same as --host"],
    [
      "--open",
      "let any peer join, also where others reach the address; on 127.0.0.1 that is the default",
    ],
    ["--SETTING VALUE", "any other setting of the command serve, which is for real use"],
    ["--json", "print one JSON object per line: when the mesh has started, and has stopped"],
  ],
  examples: ["start", "start --port 9000 --dir /srv/mesh"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const json = values.json === true;
    const { readSettings, startMesh } = await loadServer();
    const settings = await readSettings({ ...flagsOf(values), env: process.env });
    const { host = HOST_DEFAULT, dir } = settings;
    const signal = stopSignal();
    const mesh = await startMesh({
      ...settings,
      tls: null,
      host,
      onLog: ({ message }) => note(`[mesh] ${message}`),
      signal,
    });
    try {
      const { url, publicUrl, meshKey, folder } = mesh;
      const started = {
        url,
        publicUrl,
        meshKey,
        dir,
        secretsFile: folder.secrets,
        stateFolder: folder.state,
        mode: mesh.authMode,
        startingMode:
          AuthMode.safeParse(settings.variables["AUTH_MODE"]).data ??
          startingAuthMode(host, publicUrl),
        isLoopback: isOnlyLocal(host, publicUrl),
      };
      if (json) printJsonLine(startedJson(started));
      else print(startText(started));
      await orAborted(mesh.exited, signal);
      throw new Failure("the mesh ended unexpectedly");
    } catch (error) {
      if (!(error instanceof Stopped || error instanceof OutputEnded)) throw error;
    } finally {
      await mesh.drain();
      await mesh.stop();
    }
    if (json) printJsonLine({ type: "stopped" });
    else print("stopped");
    return 0;
  },
});

/** What a program needs that starts a mesh; the admin token stays in its file. */
const startedJson = (started: StartedMesh) => {
  const { url, publicUrl, meshKey, mode, secretsFile, stateFolder } = started;
  return {
    type: "started",
    url,
    ...(publicUrl !== null && { public_url: publicUrl }),
    mesh_key: meshKey,
    auth_mode: mode,
    secrets_file: secretsFile,
    state_folder: stateFolder,
  };
};

/** `--ip` and `--open` are short forms of settings. */
function flagsOf(values: Readonly<Record<string, unknown>>): Omit<SettingSources, "env"> {
  const { ip, open } = values;
  const given = givenSettings(values);
  const mode = given["AUTH_MODE"];
  if (open === true && mode !== undefined && mode !== "open")
    throw new UsageError(`--open contradicts --auth-mode ${mode}`, "leave one of them out");
  if (typeof ip === "string" && given["MUSTER_HOST"] !== undefined)
    throw new UsageError("--ip and --host are the same option", "leave one of them out");
  return {
    flags: {
      ...given,
      ...(typeof ip === "string" && { MUSTER_HOST: ip }),
      ...(open === true && { AUTH_MODE: "open" }),
    },
    flagNames: {
      ...(typeof ip === "string" && { MUSTER_HOST: "--ip" }),
      ...(open === true && { AUTH_MODE: "--open" }),
    },
  };
}
