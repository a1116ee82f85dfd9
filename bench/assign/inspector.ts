/** The parts of the DevTools protocol that a CPU profile needs. */

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  /** IDs of nodes, one for each sample. */
  readonly samples: readonly number[];
  /** Microseconds between a sample and the previous one. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    /** "0" for functions of V8 and workerd. */
    readonly scriptId: string;
    readonly url: string;
    /** Both count from 0. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly children?: readonly number[];
}

const SAMPLING_INTERVAL_US = 200;

/** Connects to the inspector of one Worker; `name` is the name of its service. */
export async function connectInspector(port: number, name: string): Promise<Inspector> {
  const response = await fetch(`http://127.0.0.1:${port}/json`);
  const targets = (await response.json()) as { title: string; webSocketDebuggerUrl: string }[];
  const target = targets.find(({ title }) => title.includes(name));
  if (target === undefined)
    throw new Error(`no target ${name} among ${targets.map(({ title }) => title).join(", ")}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the inspector refused")));
  });
  return new Inspector(socket);
}

export class Inspector {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, (result: unknown) => void>();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (id !== undefined) this.#pending.get(id)?.(result);
    });
  }

  async startProfile(): Promise<void> {
    await this.#call("Profiler.enable", {});
    await this.#call("Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL_US });
    await this.#call("Profiler.start", {});
  }

  async stopProfile(): Promise<CpuProfile> {
    const { profile } = (await this.#call("Profiler.stop", {})) as { profile: CpuProfile };
    return profile;
  }

  close(): void {
    this.#socket.close();
  }

  #call(method: string, params: object): Promise<unknown> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#pending.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }
}
