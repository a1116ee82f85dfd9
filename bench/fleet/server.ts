import { startMesh, type MeshProcess } from "../../src/cli/mesh-process.ts";
import { freePort } from "../../src/cli/ports.ts";
import { signalGroup } from "../../src/cli/process-group.ts";
import { workerdOf } from "../cpu.ts";
import { listeningPorts } from "../ports.ts";
import type { Wire } from "./wire.ts";

/** Variables of the Worker. */
type Variables = Readonly<Record<string, string>>;

/** All peers come from one address here. */
const UNLIMITED: Variables = { HANDSHAKES_PER_MINUTE: "1000000" };

/** A mesh at the end of a wire, that can be killed and started again on the same disk and port. */
export class Server {
  readonly #dir: string;
  readonly #port: number;
  readonly #wire: Wire;
  #mesh: MeshProcess;

  private constructor(dir: string, port: number, wire: Wire, mesh: MeshProcess) {
    this.#dir = dir;
    this.#port = port;
    this.#wire = wire;
    this.#mesh = mesh;
  }

  static async start(dir: string, wire: Wire, variables: Variables): Promise<Server> {
    const port = await freePort("127.0.0.1");
    return new Server(dir, port, wire, await up(dir, port, wire, variables));
  }

  get mesh(): MeshProcess {
    return this.#mesh;
  }

  /** SIGKILL to wrangler and both of its workerds: nothing is said, nothing is written any more. */
  async kill(): Promise<void> {
    if (this.#mesh.pid !== undefined) signalGroup(this.#mesh.pid, "SIGKILL");
    await this.#mesh.exited;
    await this.#mesh.stop(); // gives the folder's lock back
  }

  async restart(variables: Variables): Promise<void> {
    this.#mesh = await up(this.#dir, this.#port, this.#wire, variables);
  }

  stop(): Promise<void> {
    return this.#mesh.stop();
  }
}

async function up(dir: string, port: number, wire: Wire, variables: Variables) {
  const mesh = await startMesh({ dir, port, variables: { ...UNLIMITED, ...variables } });
  wire.leadTo(await workerPort(mesh.pid ?? 0));
  return mesh;
}

/**
 * Where the workerd that runs the Worker takes requests itself. The one that wrangler has put before it, which no deployed mesh
 * has, runs out of file descriptors at a few thousand sockets.
 */
async function workerPort(wrangler: number): Promise<number> {
  for (const port of listeningPorts(workerdOf(wrangler))) {
    const isIt = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isIt) return port;
  }
  throw new Error("the Worker's own port is not to be found");
}
