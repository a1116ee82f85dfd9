/**
 * The coordinator's own code in one process, with simulated time: peers take what they are offered and do it in its service time.
 */
import type { Millis } from "../../src/base/clock.ts";
import { TestMesh, testKey, submission, type TestPeer } from "../../test/coordinator/mesh.ts";
import { quickRandom } from "../random.ts";
import { jain } from "./jain.ts";

interface FloodOptions {
  readonly seed: number;
  readonly owners: number;
  /** Tasks that the first owner queues at once. */
  readonly flood: number;
  readonly seconds: number;
}

export interface FloodRun {
  /** Jain's index of the work that the backlogged owners of weight 1 got. */
  readonly jain: number;
  /** The same of all backlogged owners, of their work divided by their weights. */
  readonly jainByWeight: number;
  /** How long the lone tasks of quiet owners waited, in mean service times: the longest, and the mean. */
  readonly quietWaitMax: number;
  readonly quietWaitMean: number;
  readonly quietTasks: number;
  readonly completed: number;
  /** Processor time of the coordinator for one task, from its submission to its end. */
  readonly microsPerTask: number;
}

const PEERS = 20;
const SERVICE_MEAN: Millis = 1_000;
/** Tasks that each owner besides the flooding one keeps in the queue. */
const BACKLOG = 5;
/** Owners that submit a lone task now and then. */
const QUIET_OWNERS = 5;
const QUIET_INTERVAL: Millis = 7_000;
/** Some owners have these weights. */
const WEIGHTS = [2, 4];

interface Owner {
  readonly id: string;
  readonly weight: number;
  done: number;
  work: Millis;
}

export function runFlood({ seed, owners: count, flood, seconds }: FloodOptions): FloodRun {
  const random = quickRandom(seed);
  const mesh = new TestMesh({ seed });
  const owners = Array.from({ length: count }, (_, index): Owner => {
    const weight = WEIGHTS[index - 1] ?? 1;
    const { id } = mesh.run("create_token", {
      label: `tenant ${index}`,
      scope: "controller",
      weight,
      max_waiting: 10_000,
    });
    return { id, weight, done: 0, work: 0 };
  });
  const [flooding, ...others] = owners as [Owner, ...Owner[]];
  const byId = new Map(owners.map((owner) => [owner.id, owner]));
  const submit = (owner: string): string =>
    mesh.run("enqueue_task", submission({ kind: "work", deadline_seconds: 86_400 }, { owner })).id;

  for (let i = 0; i < flood; i++) submit(flooding.id);
  const peers = Array.from({ length: PEERS }, (_, index) => mesh.join(testKey(index + 1)));
  for (const { id } of others) for (let i = 0; i < BACKLOG; i++) submit(id);

  const quietAt = new Map<string, Millis>();
  const waits: Millis[] = [];
  let [quietNumber, nextQuiet] = [0, mesh.now + QUIET_INTERVAL];
  const busy = new Map<TestPeer, { until: Millis; owner: string; service: Millis }>();
  /** How many offers each peer has seen. */
  const known = new Map<TestPeer, number>(peers.map((peer) => [peer, 0]));
  const end = mesh.now + seconds * 1_000;
  let completed = 0;
  const begun = process.cpuUsage();

  const beginOffered = () => {
    for (const peer of peers) {
      if (busy.has(peer) || peer.offers.length === known.get(peer)) continue;
      known.set(peer, peer.offers.length);
      const taskId = peer.offer.task_id;
      peer.accept();
      const service = SERVICE_MEAN * (0.5 + random());
      const owner = mesh.registry.tasks.get(taskId)?.owner ?? "";
      busy.set(peer, { until: mesh.now + service, owner, service });
      const since = quietAt.get(taskId);
      if (since !== undefined) waits.push(mesh.now - since);
      quietAt.delete(taskId);
    }
  };

  for (beginOffered(); ; beginOffered()) {
    const next = [...busy].reduce<[TestPeer, { until: Millis }] | null>(
      (first, one) => (first === null || one[1].until < first[1].until ? one : first),
      null,
    );
    const at = Math.min(next?.[1].until ?? end, nextQuiet);
    if (at >= end) break;
    mesh.now = at;
    if (at === nextQuiet) {
      const id = submit(`quiet ${quietNumber++ % QUIET_OWNERS}`);
      quietAt.set(id, at);
      nextQuiet += QUIET_INTERVAL;
      continue;
    }
    if (next === null) break;
    const [peer] = next;
    const { owner, service } = busy.get(peer) as { owner: string; service: Millis };
    busy.delete(peer);
    peer.finish();
    completed++;
    const done = byId.get(owner);
    if (done === undefined) continue;
    done.done++;
    done.work += service;
    if (done !== flooding) submit(done.id);
  }
  const used = process.cpuUsage(begun);
  const micros = (used.user + used.system) / completed;
  const equal = owners.filter(({ weight }) => weight === 1);
  return {
    jain: jain(equal.map(({ done }) => done)),
    jainByWeight: jain(owners.map(({ work, weight }) => work / weight)),
    quietWaitMax: Math.max(...waits) / SERVICE_MEAN,
    quietWaitMean: waits.reduce((sum, wait) => sum + wait, 0) / waits.length / SERVICE_MEAN,
    quietTasks: waits.length,
    completed,
    microsPerTask: Math.round(micros),
  };
}
