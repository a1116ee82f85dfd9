import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import { PeerSession } from "../../durable/peer-session.ts";
import type { CommandName } from "../../src/contract/commands.ts";
import { present } from "../must.ts";
import { until } from "./api.ts";

/*
 * Tests and objects share an isolate, and RPC finds methods on the prototype of an object's class: faults are set there.
 * `vi.restoreAllMocks()` takes them back.
 */

type Execute = Coordinator["execute"];
type Answer = ReturnType<Execute>;

/** Intercepts commands on their way to the coordinator; `run` executes the command as it is. Once per test. */
export function meddle(
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
    return names.includes(args.at(-2)) ? how(run) : run();
  });
}

/** Lets a test wait until the coordinator has executed a command, counted from now. */
export function executionOf(command: CommandName): () => Promise<unknown> {
  let executed = 0;
  meddle(command, async (run) => {
    const answer = await run();
    executed++;
    return answer;
  });
  return () => until(async () => executed, Boolean);
}

/** Makes session objects fail when they are told to end, as one that is overloaded or unreachable does. */
export const breakEnds = () =>
  vi.spyOn(PeerSession.prototype, "end").mockRejectedValue(new Error("injected: no end"));

/** Makes every write, or every deletion, of the blob store fail. */
export const breakStore = (operation: "put" | "delete") =>
  vi
    .spyOn(Object.getPrototypeOf(env.BLOBS) as KVNamespace, operation)
    .mockRejectedValue(new Error(`injected: no ${operation}`));

/** Timers of one delay that objects have set. */
export class Timers {
  readonly #set: { readonly ring: () => void; readonly handle: ReturnType<typeof setTimeout> }[] =
    [];

  constructor(delay: number) {
    const setTimer = globalThis.setTimeout;
    vi.spyOn(globalThis, "setTimeout").mockImplementation((ring: () => void, ms?: number) => {
      const handle = setTimer(ring, ms);
      if (ms === delay) this.#set.push({ ring, handle });
      return handle;
    });
  }

  /** Rings the newest one in its object, instead of waiting for it. */
  ring(object: DurableObjectStub): Promise<void> {
    return runInDurableObject(object, () => present(this.#set.at(-1)).ring());
  }

  /** Takes the newest one back: the platform hibernates no object that has a timer, yet it may lose one's memory. */
  lose(object: DurableObjectStub): Promise<void> {
    return runInDurableObject(object, () => clearTimeout(present(this.#set.pop()).handle));
  }
}

/** A door that stays shut until the test opens it. It is polled: promises of one object don't wake another's. */
export class Gate {
  #isOpen = false;
  #arrived = 0;

  open(): void {
    this.#isOpen = true;
  }

  /** Waits before the door. */
  async pass(): Promise<void> {
    this.#arrived++;
    while (!this.#isOpen) await briefly();
  }

  /** Returns once somebody waits before the door. */
  async reached(): Promise<void> {
    while (this.#arrived === 0) await briefly();
  }
}

const briefly = () => new Promise((resolve) => setTimeout(resolve, 5));
