import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { NULL_JSON } from "../../src/base/json-text/json-text.ts";
import { SECOND } from "../../src/base/clock.ts";
import { COMMAND_CALLERS, type CommandName } from "../../src/contract/commands.ts";
import type { EndCode } from "../../src/peers/session-orders.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../../src/protocol/constants.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api, submitTask, newSessionStub, rows, sessionStub, until } from "./api.ts";
import { Gate, interceptCommand } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";

/** After this the object gives up a command that the coordinator does not answer (coordinator-port.ts). */
const COMMAND_TIMEOUT = 2 * RPC_TIMEOUT;

const gates: Gate[] = [];

afterEach(async () => {
  for (const gate of gates.splice(0)) gate.open();
  vi.restoreAllMocks();
  await reset();
});

/** Makes the coordinator answer these commands only once the gate is open. */
function delayAnswers(...commands: CommandName[]): Gate {
  const gate = new Gate();
  gates.push(gate);
  interceptCommand(commands, async (run) => {
    await gate.wait();
    return run();
  });
  return gate;
}

const SESSION_COMMANDS = (Object.keys(COMMAND_CALLERS) as CommandName[]).filter(
  (name) => COMMAND_CALLERS[name] === "session",
);

const revoke = ({ keys }: GoPeer) => api("POST", `/v1/peers/${keys.id}/revoke`);

/** The answer, or an error when it takes as long as a command that is not answered. */
const withoutWaiting = <T>(answer: Promise<T>): Promise<T> =>
  Promise.race([
    answer,
    new Promise<never>((_, reject) => {
      setTimeout(
        () => reject(new Error("the call waited for a command")),
        COMMAND_TIMEOUT - SECOND,
      );
    }),
  ]);

describe("revoking a peer while the coordinator is slow to answer its session", () => {
  it("AD4 answers 200 once the socket is closed, although `gone` is not answered yet", async () => {
    const peer = await GoPeer.join();
    const gate = delayAnswers("gone");
    expect(await revoke(peer)).toMatchObject({ status: 200, body: { connected: false } });
    expect(await peer.closed).toMatchObject({ code: 4403 });
    await gate.reached();
  });

  it("AD4 answers 200 although a command for an earlier frame is not answered yet", async () => {
    const peer = await GoPeer.join();
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    const gate = delayAnswers("accept_task", "gone");
    peer.send("task_accept", { task_id: id, fence: 1 });
    await gate.reached();
    expect(await revoke(peer)).toMatchObject({ status: 200 });
    expect(await peer.closed).toMatchObject({ code: 4403 });
  });

  it("LV6 repeats `gone` until the coordinator has confirmed it, then stores nothing", async () => {
    const object = newSessionStub();
    const peer = await GoPeer.join({ object });
    const failing = vi.fn(() => Promise.reject(new Error("injected: no answer")));
    interceptCommand("gone", failing);
    expect(await revoke(peer)).toMatchObject({ status: 200 });
    await until(async () => failing.mock.calls.length, Boolean);
    const countStored = () =>
      runInDurableObject(object, async (_, { storage }) => (await storage.list()).size);
    expect(await countStored()).toBe(1);
    vi.restoreAllMocks();
    await runDurableObjectAlarm(object);
    expect(await countStored()).toBe(0);
  });
});

describe("a session that the coordinator calls", () => {
  const offer: TaskOffer = {
    task_id: crypto.randomUUID(),
    fence: 9,
    kind: "go-p2p/get_stats",
    payload: NULL_JSON,
    attempt: 1,
    lease_seconds: 60,
  };
  const fault = { code: "revoked" satisfies EndCode, detail: "this key was revoked" } as const;
  const shown = { task: {} } as never;
  const { task_id: taskId, fence } = offer;

  it.each([true, false])(
    "AD4 answers without waiting for its own commands (peer speaks Muster: %s)",
    async (speaksMuster) => {
      const peer = await GoPeer.join(speaksMuster ? {} : { muster: null });
      const query = "SELECT epoch FROM peers WHERE id = ?";
      const [row] = await until(
        () => rows(query, peer.keys.id),
        ({ length }) => length === 1,
      );
      const epoch = Number(row?.["epoch"]);
      const session = await sessionStub(peer.keys.id);
      const gate = delayAnswers(...SESSION_COMMANDS);
      // A frame whose command is not answered: later frames wait for it.
      if (speaksMuster) {
        peer.send("task_refuse", { task_id: offer.task_id, fence: 1, reason: "busy" });
        await gate.reached();
      }
      const calls: readonly (() => Promise<unknown>)[] = [
        () => session.deliver(RPC_VERSION, [{ epoch, event: { type: "offer", offer } }]),
        () =>
          session.deliver(RPC_VERSION, [
            { epoch, event: { type: "cancel", taskId, fence, reason: "cancelled" } },
            { epoch, event: { type: "report", shown } },
            { epoch, event: { type: "probe" } },
          ]),
        () => session.end(RPC_VERSION, epoch, fault),
      ];
      for (const call of calls)
        expect(new Set([await withoutWaiting(call())].flat())).toEqual(new Set(["delivered"]));
      expect(await peer.closed).toMatchObject({ code: 4403 });
    },
  );
});
