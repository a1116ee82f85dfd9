import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { z } from "zod";
import { connectPeer } from "../../src/client/index.ts";
import type { EventPage, EventView, TaskEventView } from "../../src/protocol/http.ts";
import { ResumingReader } from "./events/resuming-reader.ts";
import { KillableMesh } from "./kill/killable-mesh.ts";
import { eventually, start } from "./processes.ts";

type TaskEvent = z.infer<typeof TaskEventView>;

const STREAMS = 20;
const ROUNDS = 3;
const TASKS_OF_ROUND = 60;

let dir: string;
let mesh: KillableMesh;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-events-"));
  mesh = await KillableMesh.start(dir);
});
afterAll(async () => {
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
});

const page = async (after: string): Promise<EventPage> => {
  const { url, adminToken: token } = mesh.credentials;
  const headers = { Authorization: `Bearer ${token}`, Accept: "application/json" };
  const response = await fetch(`${url}/v1/events?limit=500&after=${after}`, { headers });
  return (await response.json()) as EventPage;
};

/** Everything that the log has. */
async function logged(): Promise<EventView[]> {
  const events: EventView[] = [];
  let [after, more] = ["oldest", true];
  while (more) {
    const read = await page(after);
    events.push(...read.events);
    [after, more] = [read.next, read.more];
  }
  return events;
}

const idsOf = (events: readonly EventView[]): string[] => events.map(({ id }) => id);

describe("streams of events", () => {
  test(
    "EV23 each of 20 streams has each event once and in order while the mesh is killed with SIGKILL and started again",
    { timeout: 300_000 },
    async () => {
      const { url, adminToken } = mesh.credentials;
      const readers = Array.from(
        { length: STREAMS },
        () => new ResumingReader(`${url}/v1/events`, adminToken),
      );
      await eventually(
        () => readers.every(({ opened }) => opened > 0),
        () => "the streams do not open",
      );
      const peer = connectPeer({
        ...mesh.address,
        slots: 8,
        handlers: { double: (n) => Number(n) * 2 },
      });
      const client = mesh.controllerWith({ outageMs: 120_000 });
      let submitted = 0;
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const runs = Array.from({ length: TASKS_OF_ROUND }, () =>
            client.run("double", submitted++),
          );
          const halfway = readers.map(({ events }) => events.length + TASKS_OF_ROUND);
          await eventually(
            () => readers.every(({ events }, index) => events.length >= (halfway[index] ?? 0)),
            () => "no events come",
          );
          await mesh.crash();
          await Promise.all(runs);
        }
        const all = idsOf(await logged());
        await eventually(
          () => readers.every(({ events }) => events.at(-1)?.id === all.at(-1)),
          () =>
            `the streams do not catch up: ${readers.map(({ events }) => events.length).join(" ")} of ${all.length}`,
        );
        for (const { events, others, opened } of readers) {
          expect(others).toEqual([]);
          expect(idsOf(events)).toEqual(all);
          expect(opened).toBeGreaterThan(ROUNDS);
        }
        const succeeded = readers[0]?.events.filter(({ type }) => type === "task.succeeded");
        expect(succeeded).toHaveLength(ROUNDS * TASKS_OF_ROUND);
      } finally {
        await Promise.all(readers.map((reader) => reader.close()));
        await peer.close();
      }
    },
  );

  test(
    "CL84 SK35 muster events prints each event once across a SIGKILL of the mesh, and ends at SIGINT with how to go on",
    { timeout: 300_000 },
    async () => {
      const { url, adminToken } = mesh.credentials;
      const env = { MUSTER_URL: url, MUSTER_TOKEN: adminToken };
      const before = (await logged()).at(-1)?.id ?? "oldest";
      const printing = start(["events", "--json", "--type", "task.queued", "--after", before], {
        env,
      });
      const client = mesh.controllerWith({ outageMs: 120_000 });
      const submitted: string[] = [];
      for (let round = 0; round < 3; round++) {
        for (let n = 0; n < 5; n++) submitted.push((await client.tasks.submit("nobody", n)).id);
        await printing.waitForOutput(new RegExp(submitted.at(-1) ?? ""));
        await mesh.crash();
      }
      submitted.push((await client.tasks.submit("nobody", "last")).id);
      await printing.waitForOutput(new RegExp(submitted.at(-1) ?? ""));
      printing.child.kill("SIGINT");
      const { code, stdout, stderr } = await printing.finished;
      const printed = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as TaskEvent);
      expect(printed.map(({ task }) => task)).toEqual(submitted);
      expect([code, stderr]).toEqual([
        130,
        expect.stringContaining(`events --after ${printed.at(-1)?.id} --type task.queued`),
      ]);
    },
  );

  test(
    "EV17 streams of clients that are gone make room for others",
    { timeout: 120_000 },
    async () => {
      const { url, adminToken } = mesh.credentials;
      const headers = { Accept: "text/event-stream", Authorization: `Bearer ${adminToken}` };
      for (let round = 0; round < 2; round++) {
        const abort = new AbortController();
        // A response that nobody holds would be closed.
        const held: Response[] = [];
        const open = async () => {
          const response = await fetch(`${url}/v1/events`, { headers, signal: abort.signal });
          held.push(response);
          return response.status;
        };
        let count = 0;
        await eventually(
          async () => {
            while (count < 200 && (await open()) === 200) count++;
            return count === 200;
          },
          () => `only ${count} streams could be opened`,
        );
        expect(await open()).toBe(429);
        expect(held.length).toBeGreaterThan(200);
        abort.abort();
      }
    },
  );
});
