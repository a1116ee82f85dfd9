import { startMesh } from "../../../server/mesh-process.ts";
import type { MeshProcess } from "../../../src/cli/server-module.ts";
import { freePort } from "../../../src/cli/ports.ts";
import { signalGroup } from "../../../src/cli/process-group.ts";
import { controller, type ControllerOptions } from "../../../src/client/index.ts";
import { present } from "../../must.ts";

/** A mesh that can be killed and restarted at the same address on the same disk. */
export class KillableMesh {
  readonly dir: string;
  readonly port: number;
  readonly variables: Readonly<Record<string, string>>;
  #mesh: MeshProcess;

  private constructor(
    { dir, port, variables }: Pick<KillableMesh, "dir" | "port" | "variables">,
    mesh: MeshProcess,
  ) {
    this.dir = dir;
    this.port = port;
    this.variables = variables;
    this.#mesh = mesh;
  }

  /** @param variables those of the Worker */
  static async start(
    dir: string,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<KillableMesh> {
    const options = { dir, port: await freePort("127.0.0.1"), variables };
    return new KillableMesh(options, await startMesh(options));
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
    signalGroup(present(this.#mesh.pid), "SIGKILL");
    await this.#mesh.stop(); // releases the lock of the folder
  }

  async restart(variables: Readonly<Record<string, string>> = this.variables): Promise<void> {
    const { dir, port } = this;
    this.#mesh = await startMesh({ dir, port, variables });
  }

  stop = (): Promise<void> => this.#mesh.stop();
}
