import { orAborted } from "../abort.ts";
import { readArgs, type Command } from "../args.ts";
import { Failure, UsageError } from "../failure.ts";
import { isLoopbackHost, startingAuthMode } from "../listen-address.ts";
import { note, print } from "../output.ts";
import { loadServer } from "../server-package.ts";
import { givenSettings, HOST_DETAILS, SETTING_OPTIONS } from "../settings/setting-flags.ts";
import { Stopped, stopSignal } from "../signals.ts";
import { startText } from "../start-text.ts";
import { AuthMode } from "../../protocol/http.ts";

const usage = "start [--port N] [--host ADDRESS] [--open] [--dir FOLDER] [--SETTING VALUE]...";
const HOST_DEFAULT = "127.0.0.1";
/** Settings that only `muster serve` has: `start` prints for people, and speaks HTTP. */
const SERVE_ONLY = ["log", "tls-cert", "tls-key"];

/** Runs a mesh on this machine until the user stops it. */
export const start: Command = {
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
  ],
  run: async (argv) => {
    const own = { ip: { type: "string" }, open: { type: "boolean", default: false } } as const;
    const flags = Object.fromEntries(
      Object.entries(SETTING_OPTIONS).filter(([flag]) => !SERVE_ONLY.includes(flag)),
    );
    const { values } = readArgs(argv, { ...flags, ...own }, { min: 0, max: 0, usage });
    const { readSettings, startMesh } = await loadServer();
    const settings = await readSettings({ flags: flagsOf(values), env: process.env });
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
      const { url, meshKey, folder } = mesh;
      const text = startText({
        url,
        meshKey,
        dir,
        secretsFile: folder.secrets,
        stateFolder: folder.state,
        mode: mesh.authMode,
        startingMode:
          AuthMode.safeParse(settings.variables["AUTH_MODE"]).data ?? startingAuthMode(host),
        isLoopback: isLoopbackHost(host),
      });
      print(text);
      await orAborted(mesh.exited, signal);
      throw new Failure("the mesh ended unexpectedly");
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    } finally {
      await mesh.drain();
      await mesh.stop();
    }
    print("stopped");
    return 0;
  },
};

/** `--ip` and `--open` are short forms of settings. */
function flagsOf(values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const { ip, open } = values;
  const given = givenSettings(values);
  const mode = given["AUTH_MODE"];
  if (open === true && mode !== undefined && mode !== "open")
    throw new UsageError(`--open contradicts --auth-mode ${mode}`, "leave one of them out");
  if (typeof ip === "string" && given["MUSTER_HOST"] !== undefined)
    throw new UsageError("--ip and --host are the same option", "leave one of them out");
  return {
    ...given,
    ...(typeof ip === "string" && { MUSTER_HOST: ip }),
    ...(open === true && { AUTH_MODE: "open" }),
  };
}
