/**
 * A day of an idle peer, in workerd: each alarm rings when it is due, by a clock that the test moves, and everything that is
 * billed is counted. The last line that it prints holds the figures, as JSON behind `FIGURES`.
 */
import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HEARTBEAT_INTERVAL, SILENCE_MAX } from "../../src/protocol/constants.ts";
import { GoPeer } from "../../test/durable/go-peer.ts";
import { NoisePeer } from "../../test/durable/noise-peer.ts";
import { Counters, type Counts } from "./counters.ts";
import { LATENESS, PeerSession } from "./worker.ts";

const DAY = 86_400_000;
/** From a ping to its pong. */
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

/** Lets time pass until `end`: whichever alarm is next rings when it is due. */
async function live(objects: readonly DurableObjectStub[], end: number, rung: () => Promise<void>) {
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

/** The object has taken in what its socket was sent. */
const settled = (object: DurableObjectStub<PeerSession>) =>
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

interface Idle {
  readonly object: DurableObjectStub<PeerSession>;
  /** Answers the pings that came. */
  readonly answer: () => Promise<void>;
}

async function dayOf(join: () => Promise<Idle>): Promise<Counts> {
  const { object, answer } = await join();
  // The first look is behind it, and what its joining set going.
  await live([object, coordinator()], Date.now() + 2 * SILENCE_MAX, answer);
  const counters = await Counters.begin(object);
  await live([object, coordinator()], Date.now() + DAY, answer);
  return counters.take();
}

test("an idle muster.2 peer", async () => {
  vi.spyOn(PeerSession.prototype, "beatAt").mockImplementation(
    () => Date.now() - HEARTBEAT_INTERVAL / 2,
  );
  figures["muster_2"] = await dayOf(async () => {
    const peer = await NoisePeer.join();
    const object = env.PEER_SESSION.get(env.PEER_SESSION.idFromName(peer.keys.id));
    return {
      object,
      answer: async () => {
        for (const ping of await peer.pending()) {
          vi.setSystemTime(Date.now() + RTT);
          peer.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
          await settled(object);
        }
      },
    };
  });
});

test("an idle go-p2p 1.0 peer", async () => {
  figures["go_p2p"] = await dayOf(async () => {
    const object = env.PEER_SESSION.get(env.PEER_SESSION.newUniqueId());
    const peer = await GoPeer.join({ object });
    return {
      object,
      answer: async () => {
        for (const message of await peer.pending()) {
          if (message.type !== "ping") continue;
          vi.setSystemTime(Date.now() + RTT);
          peer.pong(message);
          await settled(object);
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
  const counters = await Counters.begin(object);
  let pongs = 0;
  await live([object], Date.now() + DAY, async () => {
    pongs++;
    await vi.waitFor(() => expect(counters.messages).toBe(pongs), SOON);
  });
  figures["fixed"] = counters.take();
});

/** From a peer's last beat to the end of its session, in seconds: the longest of some phases. */
async function detection(leased: boolean): Promise<number> {
  const times: number[] = [];
  for (const phase of [0, 5_000, 12_000, 20_000, 24_900]) {
    let died = Number.POSITIVE_INFINITY;
    const lastBeat = () => {
      const alive = Math.min(Date.now(), died);
      return alive - ((alive + phase) % HEARTBEAT_INTERVAL);
    };
    vi.spyOn(PeerSession.prototype, "beatAt").mockImplementation(lastBeat);
    const peer = await NoisePeer.join();
    const object = env.PEER_SESSION.get(env.PEER_SESSION.idFromName(peer.keys.id));
    const answer = async () => {
      for (const ping of await peer.pending()) {
        if (Date.now() >= died) return;
        peer.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
        await settled(object);
      }
    };
    await live([object, coordinator()], Date.now() + 5 * SILENCE_MAX, answer);
    if (leased) await lease(peer);
    died = Date.now() + 1_000;
    let over = false;
    void peer.closed.then(() => (over = true));
    const lost = async () => !over && (await alarmOf(object)) !== null;
    while (await lost()) await live([object], Number(await alarmOf(object)), async () => {});
    times.push((Date.now() - died) / 1_000);
    vi.restoreAllMocks();
  }
  return Math.max(...times);
}

async function lease(peer: NoisePeer): Promise<void> {
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
  // Taken in by the time that its answer comes.
  peer.send("get_stats", null);
  await peer.readType("stats");
}

test("the detection of a silent death", async () => {
  figures["idle_death_seen_s"] = await detection(false);
  figures["leased_death_seen_s"] = await detection(true);
});

test("how late alarms ring here", async () => {
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
