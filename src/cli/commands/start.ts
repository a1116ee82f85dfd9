import { controller } from "../../client/index.ts";
import { orAborted } from "../abort.ts";
import { countOption, readArgs, type Command } from "../args.ts";
import { Failure, UsageError } from "../failure.ts";
import { startMesh, type MeshProcess } from "../mesh-process.ts";
import { note, print } from "../output.ts";
import { Stopped, stopSignal } from "../signals.ts";
import { STATE_FOLDER } from "../state-folder.ts";

const usage = "start [--port N] [--ip ADDRESS] [--dir FOLDER] [--geoip-database FILE]";

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
      "--geoip-database FILE",
      "a MaxMind database (.mmdb) that locates peers; default: GEOIP_DATABASE",
    ],
    ["--dir FOLDER", `the folder for secrets and state; default: ${STATE_FOLDER}`],
  ],
  run: async (argv) => {
    const options = {
      port: { type: "string" },
      ip: { type: "string", default: "127.0.0.1" },
      dir: { type: "string", default: STATE_FOLDER },
      "geoip-database": { type: "string", default: process.env["GEOIP_DATABASE"] ?? "" },
    } as const;
    const { values } = readArgs(argv, options, { min: 0, max: 0, usage });
    const port = countOption("port", values.port) ?? PORT_DEFAULT;
    if (port > PORT_MAX) throw new UsageError(`--port must be at most ${PORT_MAX}, not ${port}`);
    const signal = stopSignal();
    const mesh = await startMesh({
      dir: values.dir,
      host: values.ip,
      port,
      variables: locationOfMesh(process.env),
      geoipDatabase: values["geoip-database"] === "" ? undefined : values["geoip-database"],
      onLog: (text) => note(`[mesh] ${text}`),
      signal,
    });
    printIntroduction(mesh);
    try {
      await orAborted(mesh.exited, signal);
      throw new Failure("the mesh ended unexpectedly");
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    } finally {
      await drain(mesh);
      await mesh.stop();
    }
    print("stopped");
    return 0;
  },
};

/** How long the mesh may take to say goodbye to its peers before it ends. */
const DRAIN_TIMEOUT_MS = 3_000;

/** Tells the peers that the mesh restarts: they go on with what they run and come back in their order. */
async function drain({ url, adminToken: token }: MeshProcess): Promise<void> {
  const signal = AbortSignal.timeout(DRAIN_TIMEOUT_MS);
  // Peers that were not told notice that the mesh is gone, and come back, too.
  await controller({ url, token })
    .settings.drain({ signal })
    .catch(() => undefined);
}

/** Where the mesh is, from which distances are measured: it can't know that by itself. */
const locationOfMesh = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    ["MESH_LATITUDE", "MESH_LONGITUDE"]
      .map((name) => [name, env[name] ?? ""] as const)
      .filter(([, degrees]) => degrees !== ""),
  );

function printIntroduction({ url, meshKey, folder }: MeshProcess): void {
  print(`Muster is running at ${url}`);
  print();
  print(`  mesh key     ${meshKey}`);
  print(`  admin token  in ${folder.secrets} (ADMIN_TOKEN)`);
  print(`  state        ${folder.state}`);
  print();
  print("Join it here:       npx muster join --exec 'wc -c'");
  print(`Join it remotely:   npx muster join ${url} --mesh-key ${meshKey} --exec 'wc -c'`);
  print("Submit a task:      npx muster assign count '\"hello\"' --wait");
  print();
  print("Ctrl-C stops it.");
}
