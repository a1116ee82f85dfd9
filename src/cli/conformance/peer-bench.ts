import { toHex } from "../../base/bytes.ts";
import { check, type Check } from "../../conformance/check.ts";
import { CheckFailed } from "../../conformance/failure.ts";
import { FrameLog } from "../../conformance/session/frame-log.ts";
import { ScriptedMesh } from "../../conformance/mesh/scripted-mesh.ts";
import type { PeerSettings } from "../../conformance/ports.ts";
import type { PreparedCheck } from "../../conformance/run-checks.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { platformRandom } from "../../crypto/primitives/random.ts";
import { Failure } from "../failure.ts";
import { startMeshServer } from "./mesh-server.ts";
import { PeerProcess } from "./peer-process.ts";

/** The kinds that the program under test handles. */
const KINDS = ["echo", "fail", "slow", "big"] as const;
const NAME = "peer under test";

interface Program {
  /** Its command line. */
  readonly command: string;
  readonly protocol: string;
}

/** A mesh on a port of its own, and the program under test, for one check. */
export async function preparePeerCheck(
  program: Program,
  { run }: Pick<Check, "run">,
): Promise<PreparedCheck> {
  const log = new FrameLog(() => Date.now());
  const mesh = new ScriptedMesh(log, platformRandom);
  const server = await startMeshServer(mesh);
  const processes: PeerProcess[] = [];
  const keys = newKeyPair(platformRandom);

  const start = async (settings: PeerSettings = {}, asPeer?: "another"): Promise<PeerProcess> => {
    const { privateKey } = asPeer === undefined ? keys : newKeyPair(platformRandom);
    const variables = variablesOf(server.url, mesh.publicKey, toHex(privateKey), settings);
    const started = await PeerProcess.start(program.command, {
      ...variables,
      MUSTER_PROTOCOL: program.protocol,
    });
    processes.push(started);
    void observeEnd(started);
    return started;
  };
  const observeEnd = async ({ ended }: PeerProcess): Promise<void> => {
    const { code, signal } = await ended;
    const how = `the program ended with ${signal ?? `exit code ${code}`}`;
    log.add("--", how);
    if (processes.every(({ end }) => end !== null)) mesh.programEnded(how);
  };
  const bench = { mesh, name: NAME, publicKey: toHex(keys.publicKey), kinds: KINDS, start };
  return {
    run: () => run(bench),
    frames: (count) => log.last(count),
    output: () => processes.flatMap(({ lastLines }) => lastLines),
    close: async () => {
      await Promise.all(processes.map((each) => each.kill()));
      await server.close();
    },
  };
}

/** The program dials the mesh, or its start makes no sense: throws a `Failure` with what it wrote. */
export async function expectDial(program: Program): Promise<void> {
  const statement = "The program dials.";
  const prepared = await preparePeerCheck(
    program,
    check("UP00", "protocol.md#connecting", statement, {
      run: async (bench) => {
        await bench.start();
        await bench.mesh.nextDial(FIRST_DIAL_WITHIN, "a dial of the program");
      },
    }),
  );
  try {
    await prepared.run();
  } catch (error) {
    if (!(error instanceof CheckFailed)) throw error;
    throw new Failure(
      `the program does not dial the mesh of the kit: ${error.seen}`,
      "it dials MUSTER_URL (docs/conformance.md)",
      prepared.output(),
    );
  } finally {
    await prepared.close();
  }
}

/** Also a program that is compiled at its start has dialed by then. */
const FIRST_DIAL_WITHIN = 60_000;

/** The environment of the program under test: docs/conformance.md describes it. */
function variablesOf(
  url: string,
  meshKey: string,
  privateKey: string,
  { slots = 2, capabilities = [], joinKey, maxFrame, pinsMeshKey = true, path = "" }: PeerSettings,
): NodeJS.ProcessEnv {
  return {
    MUSTER_URL: `${url}${path}`,
    MUSTER_WS_URL: `${url.replace("http", "ws")}${path}ws`,
    ...(pinsMeshKey && { MUSTER_MESH_KEY: meshKey }),
    MUSTER_PRIVATE_KEY: privateKey,
    MUSTER_NAME: NAME,
    MUSTER_KINDS: KINDS.join(","),
    MUSTER_SLOTS: String(slots),
    MUSTER_CAPABILITIES: capabilities.join(","),
    ...(joinKey !== undefined && { MUSTER_JOIN_KEY: joinKey }),
    ...(maxFrame !== undefined && { MUSTER_MAX_FRAME: String(maxFrame) }),
  };
}
