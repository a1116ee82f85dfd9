import { toHex } from "../../src/base/bytes.ts";
import type { Input, Output } from "../../src/contract/commands.ts";
import type { CommandAnswer } from "../../src/contract/commands.ts";
import { SubmitTask } from "../../src/protocol/http.ts";
import type { Role } from "../../src/protocol/messages.ts";
import { ANNOUNCED } from "../coordinator/announced.ts";
import { testKey, type Key } from "../coordinator/keys.ts";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";
import type { CellMesh, SessionInbox } from "./cell-mesh.ts";

/** A peer of a mesh of cells, whose sessions are inboxes. */
export class CellPeer {
  readonly mesh: CellMesh;
  readonly key: Key;
  epoch = 0;
  session = "";
  seq = 0;

  constructor(mesh: CellMesh, seed: number) {
    this.mesh = mesh;
    this.key = testKey(seed);
  }

  get id(): string {
    return this.key.id;
  }
  get inbox(): SessionInbox {
    return this.mesh.inbox(this.session);
  }

  /** Begins a session; the answer says whether the mesh admits the peer. */
  async join(slots = 4, claimedRole: Role = "worker"): Promise<CommandAnswer> {
    const session = toHex(this.mesh.randomBytes(32));
    const input: Input<"admit"> = {
      ...ANNOUNCED,
      slots,
      claimedRole,
      peerId: this.id,
      publicKey: this.key.publicKey,
      session,
    };
    const [answer] = await this.mesh.session({ name: "admit", input });
    if (answer?.ok === true) {
      this.session = session;
      this.epoch = (answer.value as Output<"admit">).epoch;
      this.seq = 0;
    }
    return answer as CommandAnswer;
  }

  async observe(): Promise<CommandAnswer> {
    const input: Input<"observe"> = { ...this.of, seq: ++this.seq, event: "answered", rtt: null };
    return (await this.mesh.session({ name: "observe", input }))[0] as CommandAnswer;
  }

  /** Accepts and finishes every task that its session was offered. */
  async work(): Promise<void> {
    for (const offer of this.inbox.offers.splice(0)) {
      const { task_id: taskId, fence } = offer;
      await this.accept(taskId, fence);
      await this.finish(taskId, fence);
    }
  }
  async accept(taskId: string, fence: number): Promise<CommandAnswer> {
    const input = { ...this.of, taskId, fence };
    return (await this.mesh.session({ name: "accept_task", input }))[0] as CommandAnswer;
  }
  async finish(taskId: string, fence: number): Promise<CommandAnswer> {
    const outcome = { task_id: taskId, fence, ok: true, result: exactJsonOf("done") } as const;
    const input = { ...this.of, outcome };
    return (await this.mesh.session({ name: "finish_task", input }))[0] as CommandAnswer;
  }

  /** Submits a task over its session. */
  async assign(payload: string, key: string | null): Promise<CommandAnswer> {
    const task = SubmitTask.parse({ kind: "nobody", payload });
    const input: Input<"assign_task"> = { ...this.of, task, key, trace: null };
    return (await this.mesh.session({ name: "assign_task", input }))[0] as CommandAnswer;
  }
  async about(name: "query_task" | "recall_task", id: string): Promise<CommandAnswer> {
    return (await this.mesh.session({ name, input: { ...this.of, id } }))[0] as CommandAnswer;
  }

  async leave(silent = false): Promise<void> {
    const input = { ...this.of, reason: "closed", silent };
    await this.mesh.session({ name: "gone", input });
  }

  get of(): { readonly peerId: string; readonly epoch: number } {
    return { peerId: this.id, epoch: this.epoch };
  }
}
