import type { TaskView as Task } from "../../src/protocol/http.ts";
import type { PlainMesh } from "../plain/mesh.ts";
import { HttpCaller } from "./http-caller.ts";

/** The calls of the API that the load consists of, without the checks of the SDK, so that a caller does little work. */
export class TaskApi {
  readonly #http: HttpCaller;

  constructor({ url, adminToken }: PlainMesh) {
    this.#http = new HttpCaller(url, { authorization: `Bearer ${adminToken}` });
  }

  /** Submits a task and waits for its end: in one request if the mesh can, otherwise in two. */
  async run(kind: string): Promise<Task> {
    const submitted = await this.#call<Task>("POST", "/v1/tasks?wait=30", JSON.stringify({ kind }));
    const task = isEnded(submitted) ? submitted : await this.ended(submitted.id);
    if (task.state !== "succeeded") throw new Error(`task ${task.id} is ${task.state}`);
    return task;
  }

  /** Submits tasks in one request; returns the IDs of those that were accepted. */
  async submitBatch(kind: string, count: number): Promise<readonly string[]> {
    const tasks = Array.from({ length: count }, () => ({ kind }));
    const { results } = await this.#call<{ results: readonly { task?: { id: string } }[] }>(
      "POST",
      "/v1/task-batches",
      JSON.stringify({ tasks }),
    );
    return results.flatMap(({ task }) => task?.id ?? []);
  }

  get(id: string): Promise<Task> {
    return this.#call("GET", `/v1/tasks/${id}`);
  }

  /** The task once it has ended. */
  async ended(id: string): Promise<Task> {
    for (;;) {
      const task = await this.#call<Task>("GET", `/v1/tasks/${id}?wait=30`);
      if (isEnded(task)) return task;
    }
  }

  /** Whether any task has not ended yet. */
  async hasUnended(): Promise<boolean> {
    for (const state of ["queued", "leased", "running"]) {
      const path = `/v1/tasks?state=${state}&limit=1`;
      const { tasks } = await this.#call<{ tasks: readonly unknown[] }>("GET", path);
      if (tasks.length > 0) return true;
    }
    return false;
  }

  close(): void {
    this.#http.close();
  }

  async #call<Answer>(method: string, path: string, body?: string): Promise<Answer> {
    const answer = await this.#http.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as Answer;
  }
}

const ENDED: readonly string[] = ["succeeded", "failed", "cancelled", "expired"];
const isEnded = ({ state }: Task): boolean => ENDED.includes(state);
