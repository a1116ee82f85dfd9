import { startMesh } from "../../../server/mesh-process.ts";
import type { MeshProcess } from "../../../src/cli/server-module.ts";
import { freePort } from "../../../src/cli/ports.ts";
import { signalGroup } from "../../../src/cli/process-group.ts";
import { controller, type ControllerOptions } from "../../../src/client/index.ts";

/** A mesh that can be killed and restarted at the same address on the same disk. */
export class KillableMesh {
  readonly dir: string;
  readonly port: number;
  #mesh: MeshProcess;

  private constructor(dir: string, port: number, mesh: MeshProcess) {
    this.dir = dir;
    this.port = port;
    this.#mesh = mesh;
  }

  static async start(dir: string): Promise<KillableMesh> {
    const port = await freePort("127.0.0.1");
    return new KillableMesh(dir, port, await startMesh({ dir, port }));
  }

  get address() {
    const { url, meshKey } = this.#mesh;
    return { url, meshKey };
  }

  get credentials() {
    const { url, adminToken } = this.#mesh;
    return { url, adminToken };
  }

  get controller() {
    return this.controllerWith({});
  }

  controllerWith(options: Omit<ControllerOptions, "url" | "token">) {
    const { url, adminToken: token } = this.#mesh;
    return controller({ ...options, url, token });
  }

  async crash(): Promise<void> {
    await this.kill();
    await this.restart();
  }

  async kill(): Promise<void> {
    signalGroup(this.#mesh.pid ?? 0, "SIGKILL");
    await this.#mesh.stop(); // releases the lock of the folder
  }

  async restart(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#mesh = await startMesh({ dir: this.dir, port: this.port, variables });
  }

  stop = (): Promise<void> => this.#mesh.stop();
}
