import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../../src/base/clock.ts";
import { LIFETIMES } from "../../../src/coordinator/storage/lifetimes.ts";
import { NEW_CIRCUIT } from "../../../src/tasks/circuit.ts";
import { present } from "../../must.ts";
import type { Sql } from "../../../src/registry/sql.ts";
import { aPeer, anAdvertisedPeer } from "../../contracts/records.ts";
import { submission, type TestMesh } from "../mesh.ts";
import { countTicks } from "./count-ticks.ts";
import { OTHER } from "./other-tables.ts";
import { smallMesh, submitAs } from "./small-mesh.ts";

/** A table whose rows expire: writes a row that is as old as the mesh's clock says. */
interface Case {
  readonly write: (mesh: TestMesh) => void;
  /** When the row is gone at the latest, and when it must still be there. */
  readonly goneAfter: number;
  readonly thereAfter: number;
}

const within = (lifetime: number): Pick<Case, "goneAfter" | "thereAfter"> => ({
  thereAfter: lifetime - 1,
  goneAfter: lifetime + 2 * HOUR,
});

const writeEnded = (mesh: TestMesh): void => {
  const input = submission(
    { kind: "echo", payload: "p" },
    { owner: "a", idempotency: { scope: "a", key: "k" } },
  );
  const { id } = mesh.run("enqueue_task", input);
  mesh.run("cancel_task", { id, visibleTo: null });
};
/** Acknowledges the callback that is due: one that waits would ring the alarm every half minute. */
const deliver = (mesh: TestMesh): void => {
  const claimed = mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request;
  const { taskId, retries, attempt } = present(claimed);
  const answer = { status: 200, error: null, retryAfter: null };
  mesh.run("callback_answered", { taskId, retries, attempt, answer });
};
const inTransaction = (write: (mesh: TestMesh) => void) => (mesh: TestMesh) =>
  mesh.registry.transaction(() => write(mesh));

/** Writes a row of a table with this key. */
type WriteNumbered = (mesh: TestMesh, key: string) => void;
const NUMBERED = {
  webhook_deliveries: ({ registry, now }, id) =>
    registry.webhookDeliveries.add(
      {
        id,
        source: `source ${id}`,
        receivedAt: now,
        deliveryId: "1",
        outcome: "filtered",
        taskId: null,
        detail: null,
        bytes: 1,
        replayOf: null,
        sealed: null,
      },
      100,
    ),
  webhook_refusals: ({ registry, now }, id) =>
    registry.webhookRefusals.add(
      {
        id,
        source: `source ${id}`,
        code: "signature_missing",
        detail: "",
        recorded: false,
        firstAt: now,
        lastAt: now,
        count: 1,
        method: "POST",
        headers: {},
        address: "",
        bytes: null,
      },
      { window: HOUR, perSource: 20, mayAdd: true },
    ),
  advertised_peers: ({ registry, now }, peerId) =>
    registry.advertisedPeers.put(anAdvertisedPeer({ peerId, heardAt: now })),
} satisfies Readonly<Record<string, WriteNumbered>>;

const EXPIRING: Readonly<Record<string, Case>> = {
  tasks: { write: writeEnded, ...within(30 * DAY) },
  idempotency: { write: writeEnded, ...within(30 * DAY) },
  task_results: {
    write(mesh) {
      const id = submitAs(mesh, "a", { seal_to: "09".padEnd(64, "0") });
      mesh.run("cancel_task", { id, visibleTo: null });
    },
    ...within(30 * DAY),
  },
  callbacks: {
    write(mesh) {
      const id = submitAs(mesh, "a", { callback: { url: "https://example.com/done" } });
      mesh.run("cancel_task", { id, visibleTo: null });
      deliver(mesh);
    },
    ...within(30 * DAY),
  },
  attempts: {
    write(mesh) {
      const id = submitAs(mesh, "a");
      const attempt = { peerId: "p", peerName: "", score: 0, error: null, retries: 0, refusals: 0 };
      mesh.registry.attempts.insert({
        taskId: id,
        fence: 1,
        state: "lost",
        startedAt: mesh.now,
        begunAt: null,
        endedAt: mesh.now,
        ...attempt,
      });
      mesh.run("cancel_task", { id, visibleTo: null });
    },
    ...within(30 * DAY),
  },
  choices: {
    write: inTransaction(({ registry, now }) => {
      registry.choices.put("t", 1, { at: now, chosen: "p", draws: {} } as never);
      registry.choices.pending.flush();
    }),
    ...within(7 * DAY),
  },
  circuits: {
    write: inTransaction(({ registry, now }) => {
      registry.circuits.put("p", "", NEW_CIRCUIT, now);
      registry.circuits.kept.flush();
    }),
    ...within(2 * HOUR),
  },
  task_kinds: {
    write: inTransaction(({ registry, now }) => {
      registry.kinds.put("echo", { service: null, incumbent: null, failures: null, usedAt: now });
      registry.kinds.kept.flush();
    }),
    ...within(30 * DAY),
  },
  correlated_failures: {
    write: inTransaction(({ registry, now }) =>
      registry.correlatedFailures.put(
        { by: "network", name: "n", listed: false },
        {
          windowAt: now,
          events: 1,
          members: 2,
          correlatedUntil: now,
          periodAt: now,
          correlatedMs: 0,
        },
      ),
    ),
    ...within(6 * HOUR),
  },
  tombstones: {
    write: inTransaction(({ registry, now }) =>
      registry.tombstones.put("p", { epoch: 1, spokeMuster2: false }, now),
    ),
    ...within(400 * DAY),
  },
  aliases: {
    write: inTransaction(({ registry, now }) => registry.aliases.put("p", "q", now + 30 * DAY)),
    ...within(30 * DAY),
  },
  audit: { write: (mesh) => mesh.run("set_auth_mode", { mode: "open" }), ...within(400 * DAY) },
  join_keys: {
    write: (mesh) =>
      mesh.run("create_join_key", { label: "", roles: ["worker"], uses: 1, expires_seconds: 60 }),
    ...within(30 * DAY + MINUTE),
  },
  api_tokens: {
    write(mesh) {
      const { id } = mesh.run("create_token", { label: "", scope: "viewer" });
      mesh.run("revoke_token", { id });
    },
    ...within(90 * DAY),
  },
  kv_writes: {
    write: inTransaction(({ registry, now }) => registry.kvWrites.count(now, { writes: 1 })),
    thereAfter: 22 * HOUR,
    goneAfter: DAY + 2 * HOUR,
  },
  submitters: {
    write: inTransaction(({ registry, now }) => void registry.submitters.isToRecord("a", now)),
    ...within(DAY),
  },
  ended_owners: {
    write: inTransaction(({ registry, now }) =>
      registry.endedOwners.put({
        key: "a",
        endedAt: now,
        tasks: 0,
        callbacks: 0,
        place: { dueAt: 0, taskId: "" },
        doneAt: now,
      }),
    ),
    ...within(31 * DAY),
  },
  kv_shares: {
    write: inTransaction(({ registry, now }) => registry.kvShares.spend("p", now)),
    ...within(DAY),
  },
  webhook_deliveries: {
    write: inTransaction((mesh) => NUMBERED.webhook_deliveries(mesh, "d")),
    ...within(7 * DAY),
  },
  webhook_refusals: {
    write: inTransaction((mesh) => NUMBERED.webhook_refusals(mesh, "d")),
    ...within(7 * DAY),
  },
  advertised_peers: {
    write: inTransaction((mesh) => NUMBERED.advertised_peers(mesh, "p")),
    ...within(DAY),
  },
  result_uploads: {
    write: inTransaction(({ registry, now }) =>
      registry.resultUploads.insert({ taskId: "t", blobId: "b", begunAt: now }),
    ),
    ...within(HOUR),
  },
  unsettled_blobs: {
    write: inTransaction(({ registry, now }) =>
      registry.unsettledBlobs.put({
        id: "b",
        peerId: "p",
        epoch: 1,
        fingerprint: "",
        begunAt: now,
      }),
    ),
    ...within(10 * MINUTE),
  },
  task_forwards: {
    write: inTransaction(({ registry, now }) =>
      registry.taskForwards.put({
        taskId: "t",
        cell: 1,
        seq: 1,
        owner: "a",
        concurrencyKey: "k",
        expiresAt: now + DAY,
      }),
    ),
    ...within(DAY),
  },
  peers: {
    write: inTransaction(({ registry, now }) =>
      registry.peers.put(aPeer({ state: "stale", since: now, session: null, held: 0 })),
    ),
    ...within(30 * DAY),
  },
};

const countOf = (mesh: TestMesh, table: string): number =>
  Number(mesh.rows(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.["n"]);

describe("lifetimes", () => {
  test("SB15 every table is known here: it has a lifetime, or its rows leave with something else", () => {
    const { mesh } = smallMesh();
    const tables = mesh.rows(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`,
    );
    expect(tables.map(({ name }) => name)).toEqual([...Object.keys(EXPIRING), ...OTHER].toSorted());
  });

  test.each(Object.entries(EXPIRING))(
    "SB15 a row of %s is removed by the alarm alone when its lifetime is over, also after a restart",
    (table, { write, thereAfter, goneAfter }) => {
      for (const restarts of [false, true]) {
        const { mesh } = smallMesh();
        const start = mesh.now;
        mesh.nextTick();
        write(mesh);
        expect(countOf(mesh, table)).toBe(1);
        mesh.nextTick(); // every command reads the due times
        if (restarts) mesh.restart();
        mesh.runFor(start + thereAfter - mesh.now);
        expect(countOf(mesh, table)).toBe(1);
        mesh.runFor(start + goneAfter - mesh.now);
        expect(countOf(mesh, table)).toBe(0);
      }
    },
  );

  test("SB15 a hundred days without traffic leave nothing of a thousand tasks", () => {
    const { mesh } = smallMesh();
    mesh.fillQueue(1_000, { kind: "echo", payload: "p", deadline_seconds: 1 });
    mesh.runFor(100 * DAY);
    expect(countOf(mesh, "tasks")).toBe(0);
  });

  test("SB15 the tasks of any number of owners are removed with few statements", () => {
    const { mesh } = smallMesh();
    const task = present(mesh.registry.tasks.get(submitAs(mesh, "a")));
    const ended = { ...task, state: "cancelled", endedAt: mesh.now } as const;
    mesh.registry.transaction(() => {
      for (let n = 0; n < 2_000; n++)
        mesh.registry.tasks.insert({ ...ended, id: `${n}`, owner: `owner ${n % 1_000}` });
    });
    const inner = { ...mesh.sql };
    let statements = 0;
    Object.assign(mesh.sql, {
      exec: (...call: Parameters<Sql["exec"]>) => {
        statements++;
        return inner.exec(...call);
      },
    });
    const { ended: table } = mesh.registry.tasks;
    expect(table.endedBefore(mesh.now, 500)).toEqual([]);
    expect(table.endedBefore(mesh.now + 1, 500)).toHaveLength(500);
    expect(new Set(table.endedBefore(mesh.now + 1, 5_000).map(({ id }) => id)).size).toBe(2_000);
    expect(statements).toBe(3);
  });

  test("SB16 an idle mesh wakes at most once an hour for rows that expire, and not at all once they are gone", () => {
    const { mesh } = smallMesh();
    for (let i = 0; i < 50; i++) {
      const id = submitAs(mesh, `owner ${i}`, { payload: "p" });
      mesh.run("cancel_task", { id, visibleTo: null });
      mesh.advanceClock(MINUTE);
      mesh.nextTick();
    }
    const alarms = countTicks(mesh);
    mesh.runFor(40 * DAY);
    // Fifty minutes of traffic: a look within the hour, payloads after a day, tasks after thirty days.
    expect(alarms.ticks).toBeLessThanOrEqual(8);
    // The audit log keeps who cancelled them.
    expect(mesh.nextTick()).toBeGreaterThan(mesh.now + 300 * DAY);
    mesh.runFor(400 * DAY);
    expect(mesh.nextTick()).toBeNull();
  });

  test.each(Object.entries(NUMBERED))(
    "SB16 rows of %s that were written one by one are removed together",
    (table, row) => {
      const { mesh } = smallMesh();
      const alarms = countTicks(mesh);
      for (let n = 0; n < 200; n++) {
        inTransaction((scope) => row(scope, `${n}`))(mesh);
        mesh.nextTick();
        mesh.advanceClock(MINUTE);
      }
      expect(countOf(mesh, table)).toBe(200);
      mesh.runFor(present(EXPIRING[table]).goneAfter);
      expect(countOf(mesh, table)).toBe(0);
      expect(alarms.ticks).toBeLessThan(12);
    },
  );

  test("SB16 a command costs no query for lifetimes", () => {
    const { mesh } = smallMesh();
    submitAs(mesh, "a");
    mesh.nextTick();
    const statements = new Set<string>();
    const inner = { ...mesh.sql };
    Object.assign(mesh.sql, {
      exec: (...call: Parameters<Sql["exec"]>) => {
        statements.add(call[0]);
        return inner.exec(...call);
      },
    });
    mesh.restart();
    const scope = { registry: mesh.registry, config: mesh.config, now: mesh.now };
    statements.clear();
    for (const lifetime of LIFETIMES) lifetime.next(scope);
    const queries = new Set(statements);
    expect(queries.size).toBeGreaterThanOrEqual(LIFETIMES.length);
    mesh.nextTick();
    statements.clear();
    submitAs(mesh, "a");
    mesh.nextTick();
    expect([...statements].filter((query) => queries.has(query))).toEqual([]);
  });
});
