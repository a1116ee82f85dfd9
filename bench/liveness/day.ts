/**
 * A day of an idle peer in workerd: each alarm runs when it is due, by a clock that the test moves, and everything that is
 * billed is counted. The last line of output holds the figures, as JSON after `FIGURES`.
 */
import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT } from "../../src/protocol/constants.ts";
import { GoPeer } from "../../test/durable/go-peer.ts";
import { NoisePeer } from "../../test/durable/noise-peer.ts";
import { Counters, type Counts } from "./counters.ts";
import { SessionSockets } from "../../durable/session-sockets.ts";
import { LATENESS, type PeerSession } from "./worker.ts";

const DAY = 86_400_000;
/** The time from a ping to its pong. */
const RTT = 30;
const SOON = { interval: 1, timeout: 10_000 };

const figures: Record<string, unknown> = {};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const coordinator = () => env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
const alarmOf = (object: DurableObjectStub): Promise<number | null> =>
  runInDurableObject(object, (_, { storage }) => storage.getAlarm());

/** Moves the clock to `end` and runs each alarm when it is due. */
async function runAlarmsUntil(
  objects: readonly DurableObjectStub[],
  end: number,
  rung: () => Promise<void>,
) {
  for (;;) {
    const alarms = await Promise.all(objects.map(alarmOf));
    const due = Math.min(...alarms.map((at) => at ?? Number.POSITIVE_INFINITY));
    if (due > end) break;
    vi.setSystemTime(Math.max(due, Date.now()));
    await runDurableObjectAlarm(objects[alarms.indexOf(due)] as DurableObjectStub);
    await rung();
  }
  vi.setSystemTime(end);
}

/** Waits until the object has handled the pong that its socket received. */
const waitForPong = (object: DurableObjectStub<PeerSession>) =>
  vi.waitFor(async () => {
    const waits = await runInDurableObject(object, (_, state) =>
      state.getWebSockets().some((socket) => {
        const session = socket.deserializeAttachment() as {
          liveness?: { ping: { dueAt: number | null } | null };
        };
        return session.liveness?.ping !== null && session.liveness?.ping !== undefined;
      }),
    );
    expect(waits).toBe(false);
  }, SOON);

interface IdlePeer {
  readonly object: DurableObjectStub<PeerSession>;
  /** Answers the pings that have arrived. */
  readonly answer: () => Promise<void>;
}

async function countDay(join: () => Promise<IdlePeer>): Promise<Counts> {
  const { object, answer } = await join();
  // Skip the first liveness check and the work that joining starts.
  await runAlarmsUntil([object, coordinator()], Date.now() + 2 * HEARTBEAT_TIMEOUT, answer);
  const counters = await Counters.start(object);
  await runAlarmsUntil([object, coordinator()], Date.now() + DAY, answer);
  return counters.countsSinceLast();
}

test("an idle muster.2 peer", async () => {
  vi.spyOn(SessionSockets.prototype, "heartbeatAt").mockImplementation(
    () => Date.now() - HEARTBEAT_INTERVAL / 2,
  );
  figures["muster_2"] = await countDay(async () => {
    const peer = await NoisePeer.join();
    const object = env.PEER_SESSION.get(env.PEER_SESSION.idFromName(peer.keys.id));
    return {
      object,
      answer: async () => {
        for (const ping of await peer.pending()) {
          vi.setSystemTime(Date.now() + RTT);
          peer.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
          await waitForPong(object);
        }
      },
    };
  });
});

test("an idle go-p2p 1.0 peer", async () => {
  figures["go_p2p"] = await countDay(async () => {
    const object = env.PEER_SESSION.get(env.PEER_SESSION.newUniqueId());
    const peer = await GoPeer.join({ object });
    return {
      object,
      answer: async () => {
        for (const message of await peer.pending()) {
          if (message.type !== "ping") continue;
          vi.setSystemTime(Date.now() + RTT);
          peer.pong(message);
          await waitForPong(object);
        }
      },
    };
  });
});

test("the fixed design", async () => {
  const object = env.FIXED.get(env.FIXED.newUniqueId());
  const { webSocket } = await object.fetch("http://fixed/", { headers: { Upgrade: "websocket" } });
  if (webSocket === null) throw new Error("no WebSocket");
  webSocket.accept();
  webSocket.addEventListener("message", () => webSocket.send("pong"));
  const counters = await Counters.start(object);
  let pongs = 0;
  await runAlarmsUntil([object], Date.now() + DAY, async () => {
    pongs++;
    await vi.waitFor(() => expect(counters.messages).toBe(pongs), SOON);
  });
  figures["fixed"] = counters.countsSinceLast();
});

/** The time from the disconnection of a peer to the end of its session, in seconds: the longest of some phases. */
async function measureDetection(leased: boolean): Promise<number> {
  const times: number[] = [];
  for (const phase of [0, 5_000, 12_000, 20_000, 24_900]) {
    let died = Number.POSITIVE_INFINITY;
    const lastBeat = () => {
      const alive = Math.min(Date.now(), died);
      return alive - ((alive + phase) % HEARTBEAT_INTERVAL);
    };
    vi.spyOn(SessionSockets.prototype, "heartbeatAt").mockImplementation(lastBeat);
    const peer = await NoisePeer.join();
    const object = env.PEER_SESSION.get(env.PEER_SESSION.idFromName(peer.keys.id));
    const answer = async () => {
      for (const ping of await peer.pending()) {
        if (Date.now() >= died) return;
        peer.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
        await waitForPong(object);
      }
    };
    await runAlarmsUntil([object, coordinator()], Date.now() + 5 * HEARTBEAT_TIMEOUT, answer);
    if (leased) await giveLease(peer);
    died = Date.now() + 1_000;
    let over = false;
    void peer.closed.then(() => (over = true));
    const lost = async () => !over && (await alarmOf(object)) !== null;
    while (await lost())
      await runAlarmsUntil([object], Number(await alarmOf(object)), async () => {});
    times.push((Date.now() - died) / 1_000);
    vi.restoreAllMocks();
  }
  return Math.max(...times);
}

async function giveLease(peer: NoisePeer): Promise<void> {
  await exports.default.fetch("http://mesh.test/v1/tasks", {
    method: "POST",
    headers: {
      Authorization: "Bearer bench-admin-token-0123456789abcdef",
      "Content-Type": "application/json",
    },
    body: JSON.stringify({
      kind: "hold",
      lease_seconds: 3_600,
      requirements: { peer_id: peer.keys.id },
    }),
  });
  const { payload } = await peer.readType("task_offer");
  const { task_id, fence } = payload as { task_id: string; fence: number };
  peer.send("task_accept", { task_id, fence });
  // When the answer to this message arrives, the coordinator has handled the acceptance.
  peer.send("get_stats", null);
  await peer.readType("stats");
}

test("the detection of a silent disconnection", async () => {
  figures["idle_death_seen_s"] = await measureDetection(false);
  figures["leased_death_seen_s"] = await measureDetection(true);
});

test("the lateness of alarms", async () => {
  vi.useRealTimers();
  const ALARMS = 20;
  for (let alarm = 0; alarm < ALARMS; alarm++)
    await env.LATE.get(env.LATE.newUniqueId()).fetch("http://late/");
  await vi.waitFor(() => expect(LATENESS).toHaveLength(ALARMS), { timeout: 120_000 });
  figures["alarms_late_ms_max"] = Math.max(...LATENESS);
});

test("figures", () => {
  console.log(`FIGURES ${JSON.stringify(figures)}`);
});
