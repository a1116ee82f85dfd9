import type { Requirements } from "../src/protocol/http.ts";
import { TestMesh, testKey } from "../test/coordinator/mesh.ts";
import type { Bench } from "./bench.ts";

const FEW = 10;
const MANY = 10_000;
const PEERS = 50;
const ANNOUNCEMENTS = 300;
const ROUNDS = 3;
const BAR = 3;

/** A queue of tasks that the announcing peer cannot take, each with its own kind or requirements. */
interface World {
  readonly kind?: (n: number) => string;
  readonly requirements?: (n: number) => Partial<Requirements>;
  readonly owner?: (n: number) => string;
}

const WORLDS: Readonly<Record<string, World>> = {
  values: { requirements: (n) => ({ capabilities: [`zone=${n}`] }) },
  names: { requirements: (n) => ({ capabilities: [`feature${n}`] }) },
  numbers: { requirements: (n) => ({ capabilities: [`memory>=${100 + n}`] }) },
  common_label: { requirements: (n) => ({ capabilities: ["spare", `zone=${n}`] }) },
  named_peers: { requirements: (n) => ({ peer_id: testKey(1_000 + n).id }) },
  kinds: { kind: (n) => `other-${n}` },
  owners: {
    requirements: (n) => ({ capabilities: [`zone=${n}`] }),
    owner: (n) => `owner-${n % 100}`,
  },
};

export const shapesBench: Bench = {
  summary: `an announcement of a peer while ${MANY} tasks with different requirements wait, compared with ${FEW}`,
  run(log, scale) {
    const many = Math.max(100, Math.round(MANY * scale));
    const worlds = Object.fromEntries(
      Object.entries(WORLDS).map(([name, world]) => {
        const [few, full] = [openWorld(world, FEW), openWorld(world, many)];
        const micros = { few: [] as number[], many: [] as number[] };
        // Alternately, so that a slow moment of the machine concerns both.
        for (let round = 0; round <= ROUNDS; round++) {
          micros.few.push(announceMicros(few));
          micros.many.push(announceMicros(full));
        }
        const [base, cost] = [micros.few, micros.many].map((all) => Math.min(...all.slice(1)));
        const figures = {
          microseconds_few: Math.round(base as number),
          microseconds_many: Math.round(cost as number),
          times: Math.round((100 * (cost as number)) / (base as number)) / 100,
        };
        log(`${name}: ${JSON.stringify(figures)}`);
        return [name, figures];
      }),
    );
    const worst = Math.max(...Object.values(worlds).map(({ times }) => times));
    return Promise.resolve({
      ok: worst <= BAR,
      bar: `an announcement with ${many} different requirements in the queue costs at most ${BAR} times that with ${FEW}`,
      shapes: many,
      peers: PEERS,
      worst_times: worst,
      worlds,
    });
  },
};

function openWorld({ kind, requirements, owner }: World, count: number): TestMesh {
  const mesh = new TestMesh();
  for (let n = 0; n < PEERS; n++)
    mesh.join(testKey(n + 1), { kinds: ["work"], capabilities: ["memory=16"] });
  const { id } = mesh.submit({ kind: "none", deadline_seconds: 86_400 });
  const { tasks } = mesh.registry;
  const task = tasks.get(id);
  if (task === null) throw new Error("the task was not stored");
  mesh.registry.transaction(() => {
    for (let n = 0; n < count; n++)
      tasks.insert({
        ...task,
        id: `${id} ${n}`,
        kind: kind?.(n) ?? "work",
        owner: owner?.(n) ?? task.owner,
        requirements: { capabilities: [], ...requirements?.(n) },
      });
  });
  return mesh;
}

/** The mean time of an announcement that changes what the peer can do, and so may make tasks assignable. */
function announceMicros(mesh: TestMesh): number {
  const began = performance.now();
  for (let n = 0; n < ANNOUNCEMENTS; n++) {
    const announced = { capabilities: ["memory=16", n % 2 === 0 ? "spare" : "other"] };
    mesh.run("announce", { peerId: testKey(1 + (n % PEERS)).id, epoch: 1, announced });
  }
  return (1_000 * (performance.now() - began)) / ANNOUNCEMENTS;
}
