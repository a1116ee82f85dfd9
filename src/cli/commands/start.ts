import { orAborted } from "../abort.ts";
import { countOption, readArgs, type Command } from "../args.ts";
import { Failure, UsageError } from "../failure.ts";
import { isLoopbackHost, startingAuthMode } from "../listen-address.ts";
import { note, print } from "../output.ts";
import { loadServer } from "../server-package.ts";
import { Stopped, stopSignal } from "../signals.ts";
import { startText } from "../start-text.ts";
import { STATE_FOLDER } from "../state-folder.ts";

const usage = "start [--port N] [--ip ADDRESS] [--open] [--dir FOLDER] [--geoip-database FILE]";

const PORT_DEFAULT = 8787;
const PORT_MAX = 65_535;

/** Runs a mesh on this machine until the user stops it. */
export const start: Command = {
  usage,
  summary: "run a mesh on this machine; its state is stored in a folder",
  details: [
    ["--port N", `the port to listen on; default: ${PORT_DEFAULT}; 0 selects a free one`],
    ["--ip ADDRESS", "the address to listen on; default: 127.0.0.1, this machine only"],
    [
      "--open",
      "let any peer join, also where others reach the address; on 127.0.0.1 that is the default",
    ],
    [
      "--geoip-database FILE",
      "a MaxMind database (.mmdb) that locates peers; default: GEOIP_DATABASE",
    ],
    ["--dir FOLDER", `the folder for secrets and state; default: ${STATE_FOLDER}`],
  ],
  run: async (argv) => {
    const options = {
      port: { type: "string" },
      ip: { type: "string", default: "127.0.0.1" },
      open: { type: "boolean", default: false },
      dir: { type: "string", default: STATE_FOLDER },
      "geoip-database": { type: "string", default: process.env["GEOIP_DATABASE"] ?? "" },
    } as const;
    const { values } = readArgs(argv, options, { min: 0, max: 0, usage });
    const port = countOption("port", values.port) ?? PORT_DEFAULT;
    if (port > PORT_MAX) throw new UsageError(`--port must be at most ${PORT_MAX}, not ${port}`);
    const signal = stopSignal();
    const { startMesh } = await loadServer();
    const mesh = await startMesh({
      dir: values.dir,
      host: values.ip,
      port,
      open: values.open,
      variables: fromEnvironment(process.env),
      geoipDatabase: values["geoip-database"] === "" ? undefined : values["geoip-database"],
      onLog: ({ message }) => note(`[mesh] ${message}`),
      signal,
    });
    try {
      const { url, meshKey, folder } = mesh;
      const text = startText({
        url,
        meshKey,
        dir: values.dir,
        secretsFile: folder.secrets,
        stateFolder: folder.state,
        mode: mesh.authMode,
        startingMode: values.open ? "open" : startingAuthMode(values.ip),
        isLoopback: isLoopbackHost(values.ip),
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

/** What the mesh can't know by itself: where it is, from which distances are measured, which proxies it may believe, and which pages may use it. */
const fromEnvironment = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    ["MESH_LATITUDE", "MESH_LONGITUDE", "TRUSTED_PROXIES", "CORS_ORIGINS"]
      .map((name) => [name, env[name] ?? ""] as const)
      .filter(([, value]) => value !== ""),
  );
