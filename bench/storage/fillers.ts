/** Three that try to fill a mesh's database: an owner of tasks, a webhook sender, and a stranger in open mode. */
import { connectPeer, generateIdentity, signDelivery } from "../../src/client/index.ts";
import { toHex } from "../../src/base/bytes.ts";

/** How often each answer came: a status, or what a connection came to. */
export type Answers = Record<string, number>;

export interface Filled {
  readonly url: string;
  readonly meshKey: string;
}

/** Nearly the largest payload: 256 KiB of JSON are allowed. */
const PAYLOAD = "x".repeat(256 * 1_024 - 64);
/** Nearly the largest body of a delivery: 1 MiB is allowed. */
const BODY_BYTES = 1_024 * 1_024 - 512;
const LANES = 3;
/** A stranger's connection that takes longer is given up. */
const STRANGER_TIMEOUT_MS = 10_000;

/** On a slow machine a filler needs more time until it is refused for want of room. */
const EXTRA_MS = 120_000;
const wasRefused = (answers: Answers): boolean =>
  Object.keys(answers).some((answer) => answer.endsWith("_full"));

/** Submits tasks with large payloads, and cancels every other one: tasks that wait, and tasks that have ended. */
export const fillWithTasks = ({ url }: Filled, token: string, until: number): Promise<Answers> =>
  inLanes(
    until,
    async (count) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const body = JSON.stringify({ kind: "nobody", payload: PAYLOAD });
      const response = await fetch(new URL("v1/tasks", url), { method: "POST", headers, body });
      const answer = (await response.json()) as { readonly id?: string; readonly code?: string };
      if (answer.id !== undefined && count % 2 === 0)
        await fetch(new URL(`v1/tasks/${answer.id}`, url), { method: "DELETE", headers });
      return `${response.status} ${answer.code ?? ""}`.trim();
    },
    wasRefused,
  );

/** Sends signed deliveries of 1 MiB, each of which becomes a task with a payload of 250 KB. */
export const fillWithDeliveries = (
  { url }: Filled,
  { source, secret }: { readonly source: string; readonly secret: string },
  until: number,
): Promise<Answers> => {
  const data = "d".repeat(250_000);
  const event = JSON.stringify({ data, padding: "p".repeat(BODY_BYTES - data.length) });
  return inLanes(
    until,
    async () => {
      const id = crypto.randomUUID();
      const headers = signDelivery(secret, { id, at: Date.now(), body: event });
      const response = await fetch(new URL(`v1/webhooks/${source}`, url), {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: event,
      });
      const { code = "" } = (await response.json()) as { readonly code?: string };
      return `${response.status} ${code}`.trim();
    },
    wasRefused,
  );
};

/** Joins with a new key each time, announces as much as it may, advertises peers, rotates its key, and leaves. */
export const fillWithPeers = ({ url, meshKey }: Filled, until: number): Promise<Answers> =>
  inLanes(until, async (count) => {
    const peer = connectPeer({
      url,
      meshKey,
      name: `stranger ${count}`,
      capabilities: Array.from({ length: 32 }, (_, n) => `c${n}`.padEnd(60, "c")),
    });
    try {
      await Promise.race([peer.ready, failAfter(STRANGER_TIMEOUT_MS)]);
      peer.advertise(
        Array.from({ length: 32 }, () => {
          const { publicKey } = generateIdentity();
          const address = `wss://${"a".repeat(150)}.example/ws`;
          return { publicKey: toHex(publicKey), address, role: "worker" as const };
        }),
      );
      peer.announce({ capabilities: [`count=${count}`] });
      await peer.rotate().catch(() => {});
      return "joined";
    } catch {
      return "refused";
    } finally {
      await peer.close().catch(() => {});
      peer.closed.catch(() => {});
    }
  });

/** Works in several lanes until then, longer while `triedHard` does not hold yet, and counts the answers. */
async function inLanes(
  until: number,
  work: (count: number) => Promise<string>,
  triedHard = (_answers: Answers): boolean => true,
): Promise<Answers> {
  const answers: Answers = {};
  let count = 0;
  const lane = async () => {
    while (Date.now() < until || (!triedHard(answers) && Date.now() < until + EXTRA_MS)) {
      const answer = await work(count++).catch(() => "no answer");
      answers[answer] = (answers[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return answers;
}

const failAfter = (ms: number): Promise<never> =>
  new Promise((_, reject) => void setTimeout(() => reject(new Error("no welcome in time")), ms));
