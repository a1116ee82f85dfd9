import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import { PeerSession } from "../../durable/peer-session.ts";
import type { CommandName } from "../../src/contract/commands.ts";
import { present } from "../must.ts";
import { until } from "./api.ts";

/*
 * Faults. Tests and objects share an isolate, and RPC looks up methods on the prototype of an object's class, so faults are set
 * there. `vi.restoreAllMocks()` removes them.
 */

type Execute = Coordinator["execute"];
type Answer = ReturnType<Execute>;

/** Intercepts commands on their way to the coordinator; `run` executes the command as it is. Once per test. */
export function interceptCommand(
  intercepted: CommandName | readonly CommandName[],
  how: (run: () => Answer) => Answer,
): void {
  const names: readonly unknown[] = [intercepted].flat();
  const execute: Execute = Reflect.get(Coordinator.prototype, "execute");
  vi.spyOn(Coordinator.prototype, "execute").mockImplementation(function (
    this: Coordinator,
    ...args: Parameters<Execute>
  ) {
    const run = () => execute.apply(this, args);
    const [, , commands] = args;
    return commands.some(({ name }) => names.includes(name)) ? how(run) : run();
  });
}

/** Returns a function that waits until the coordinator has executed a command, counted from now. */
export function nextExecution(command: CommandName): () => Promise<unknown> {
  let executed = 0;
  interceptCommand(command, async (run) => {
    const answer = await run();
    executed++;
    return answer;
  });
  return () => until(async () => executed, Boolean);
}

/** Makes the end of a session fail, as when its object is overloaded or unreachable. */
export const failSessionEnds = () =>
  vi.spyOn(PeerSession.prototype, "end").mockRejectedValue(new Error("injected: no end"));

/** Makes every write, or every deletion, of the blob store fail. */
export const failStore = (operation: "put" | "delete") =>
  vi
    .spyOn(Object.getPrototypeOf(env.BLOBS) as KVNamespace, operation)
    .mockRejectedValue(new Error(`injected: no ${operation}`));

/** The timers with this delay that objects have set. */
export class Timers {
  readonly #set: { readonly fire: () => void; readonly handle: ReturnType<typeof setTimeout> }[] =
    [];

  constructor(delay: number) {
    const setTimer = globalThis.setTimeout;
    vi.spyOn(globalThis, "setTimeout").mockImplementation((ring: () => void, ms?: number) => {
      const handle = setTimer(ring, ms);
      if (ms === delay) this.#set.push({ fire: ring, handle });
      return handle;
    });
  }

  /** Fires the newest timer in its object now. */
  ring(object: DurableObjectStub): Promise<void> {
    return runInDurableObject(object, () => present(this.#set.at(-1)).fire());
  }

  /** Clears the newest timer, as when an object loses its memory: an object with a timer does not hibernate. */
  clear(object: DurableObjectStub): Promise<void> {
    return runInDurableObject(object, () => clearTimeout(present(this.#set.pop()).handle));
  }
}

/** Blocks callers until the test opens it. Polled, because a promise of one object does not wake another object. */
export class Gate {
  #isOpen = false;
  #arrived = 0;

  open(): void {
    this.#isOpen = true;
  }

  /** Waits until the gate is open. */
  async wait(): Promise<void> {
    this.#arrived++;
    while (!this.#isOpen) await briefly();
  }

  /** Returns once a caller waits at the gate. */
  async reached(): Promise<void> {
    while (this.#arrived === 0) await briefly();
  }
}

const briefly = () => new Promise((resolve) => setTimeout(resolve, 5));
