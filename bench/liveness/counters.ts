import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { Coordinator, Fixed, PeerSession } from "./worker.ts";

/** Counts of what is billed. */
export interface Counts {
  alarms: number;
  /** Calls between objects. */
  rpcs: number;
  /** WebSocket messages that reached an object; heartbeats do not. */
  messages: number;
  rowsWritten: number;
  kvWrites: number;
  /** How long handlers ran or waited, in milliseconds. */
  handlerMs: number;
}

const none = (): Counts => ({
  alarms: 0,
  rpcs: 0,
  messages: 0,
  rowsWritten: 0,
  kvWrites: 0,
  handlerMs: 0,
});

type Method = (this: unknown, ...args: never[]) => unknown;

/** Counts what every object does, by wrapping the methods that the platform calls or bills. */
export class Counters {
  #counts = none();
  readonly #cursors: { readonly rowsWritten: number }[] = [];

  /** `anyObject` gives access to the storage classes; all objects share them. */
  static async start(anyObject: DurableObjectStub): Promise<Counters> {
    const counters = new Counters();
    await runInDurableObject(anyObject, (_, { storage }) => counters.#watchStorage(storage));
    for (const { prototype } of [PeerSession, Coordinator, Fixed]) counters.#watchEvents(prototype);
    // `submitAndWait` calls `execute`, which is counted.
    for (const call of ["execute", "getOnceEnded"])
      counters.#count(Coordinator.prototype, call, "rpcs");
    for (const call of ["deliver", "end"]) counters.#count(PeerSession.prototype, call, "rpcs");
    const kv = Object.getPrototypeOf(env.BLOBS) as object;
    for (const write of ["put", "delete"]) counters.#count(kv, write, "kvWrites");
    return counters;
  }

  get messages(): number {
    return this.#counts.messages;
  }

  /** The counts since the last call. */
  countsSinceLast(): Counts {
    for (const { rowsWritten } of this.#cursors.splice(0)) this.#counts.rowsWritten += rowsWritten;
    const counts = this.#counts;
    this.#counts = none();
    return counts;
  }

  #watchEvents(prototype: object): void {
    this.#count(prototype, "alarm", "alarms", true);
    if ("webSocketMessage" in prototype)
      this.#count(prototype, "webSocketMessage", "messages", true);
  }

  /** `setAlarm` and each put of the key-value store write one row; SQL reports how many it wrote. */
  #watchStorage(storage: DurableObjectStorage): void {
    const prototype = Object.getPrototypeOf(storage) as object;
    // `deleteAlarm` is not counted: only the test calls it, when it runs an alarm.
    for (const write of ["setAlarm", "deleteAll"]) this.#count(prototype, write, "rowsWritten");
    const kv = Object.getPrototypeOf(storage.kv) as object;
    for (const write of ["put", "delete"]) this.#count(kv, write, "rowsWritten");
    const sql = Object.getPrototypeOf(storage.sql) as object;
    const exec = Reflect.get(sql, "exec") as Method;
    const cursors = this.#cursors;
    vi.spyOn(sql as { exec: Method }, "exec").mockImplementation(function (this: unknown, ...args) {
      const cursor = exec.apply(this, args) as { readonly rowsWritten: number };
      cursors.push(cursor);
      return cursor;
    });
  }

  #count(prototype: object, method: string, as: keyof Counts, timed = false): void {
    const original = Reflect.get(prototype, method) as Method;
    const bump = (by: number, what: keyof Counts) => (this.#counts[what] += by);
    vi.spyOn(prototype as Record<string, Method>, method).mockImplementation(function (
      this: unknown,
      ...args
    ) {
      bump(1, as);
      const began = performance.now();
      const result = original.apply(this, args);
      if (timed && result instanceof Promise)
        return result.finally(() => bump(performance.now() - began, "handlerMs"));
      return result;
    });
  }
}
