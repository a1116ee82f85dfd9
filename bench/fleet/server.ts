import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import { freePort } from "../../src/cli/ports.ts";
import { signalGroup } from "../../src/cli/process-group.ts";
import type { NetworkProxy } from "./network-proxy.ts";

/** Variables of the Worker. */
type Variables = Readonly<Record<string, string>>;

/** All peers connect from one address. */
const UNLIMITED_HANDSHAKES: Variables = { HANDSHAKES_PER_MINUTE: "1000000" };

/** A mesh behind a network proxy, which can be killed and restarted on the same disk and port. */
export class Server {
  readonly #dir: string;
  readonly #port: number;
  readonly #network: NetworkProxy;
  #mesh: MeshProcess;

  private constructor(dir: string, port: number, network: NetworkProxy, mesh: MeshProcess) {
    this.#dir = dir;
    this.#port = port;
    this.#network = network;
    this.#mesh = mesh;
  }

  static async start(dir: string, network: NetworkProxy, variables: Variables): Promise<Server> {
    const port = await freePort("127.0.0.1");
    return new Server(dir, port, network, await startOnNetwork(dir, port, network, variables));
  }

  get mesh(): MeshProcess {
    return this.#mesh;
  }

  /** Kills workerd with SIGKILL: nothing more is sent or written. */
  async kill(): Promise<void> {
    if (this.#mesh.pid !== undefined) signalGroup(this.#mesh.pid, "SIGKILL");
    await this.#mesh.exited;
    await this.#mesh.stop(); // releases the lock of the folder
  }

  async restart(variables: Variables): Promise<void> {
    this.#mesh = await startOnNetwork(this.#dir, this.#port, this.#network, variables);
  }

  stop(): Promise<void> {
    return this.#mesh.stop();
  }
}

async function startOnNetwork(
  dir: string,
  port: number,
  network: NetworkProxy,
  variables: Variables,
) {
  const mesh = await startMesh({ dir, port, variables: { ...UNLIMITED_HANDSHAKES, ...variables } });
  network.setTarget(Number(new URL(mesh.url).port));
  return mesh;
}
