import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import { cellObjectName } from "../../src/cells/object-name.ts";
import { placeOfKey } from "../../src/cells/placement.ts";
import { bestCell } from "../../src/cells/rendezvous.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { present } from "../must.ts";
import { api, until } from "../durable/api.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const CELLS = [0, 1, 2, 3];
const HUNG = 1;
const LONG = 120_000;

/** A cell takes no messages, and does not refuse them either. Returns how often it was asked to. */
function hang(): () => number {
  let calls = 0;
  const execute: Coordinator["execute"] = Reflect.get(Coordinator.prototype, "execute");
  vi.spyOn(Coordinator.prototype, "execute").mockImplementation(async function (
    this: Coordinator,
    ...args: Parameters<typeof execute>
  ) {
    const [, , commands, to] = args;
    const isHung = to.cell === HUNG && commands.some(({ name }) => name === "receive_messages");
    if (isHung) calls++;
    // Longer than the test takes, and not for ever: the runtime would end such a call.
    if (isHung) await scheduler.wait(LONG);
    return execute.apply(this, args);
  });
  return () => calls;
}

/** The messages of cell 0 to a cell that wait, and how often sending them has failed. */
const linkTo = (cell: number) =>
  runInDurableObject(
    env.COORDINATOR.get(env.COORDINATOR.idFromName(cellObjectName(0))),
    (_, { storage: { sql } }) => ({
      waiting: sql.exec(`SELECT 1 FROM cell_messages WHERE cell = ${cell}`).toArray().length,
      failures: sql
        .exec(`SELECT failures FROM outbox WHERE kind = 'send_to_cell' AND subject = '${cell}'`)
        .toArray()
        .map(({ failures }) => failures),
    }),
  );

it("CE154 while a cell hangs, tasks of a cell with a message for it end in time, and its messages to other cells are taken", async () => {
  await api("POST", "/v1/tasks", { kind: "nobody" });
  const calls = hang();
  await api("PUT", "/v1/kinds/first", { concurrency: 1 });
  await until(
    async () => calls(),
    (count) => count > 0,
  );
  const keys = Array.from({ length: 64 }, (_, n) => `key ${n}`);
  const key = present(keys.find((one) => bestCell(CELLS, placeOfKey("admin", one)) === 0));
  const task = { kind: "nobody", deadline_seconds: 1 };
  const headers = { "Idempotency-Key": key };
  const { body } = await api<TaskView>("POST", "/v1/tasks", task, headers);
  await until(
    async () => (await api<TaskView>("GET", `/v1/tasks/${body.id}`)).body.ended_at,
    (endedAt) => endedAt !== null,
  );
  await api("PUT", "/v1/kinds/second", { concurrency: 1 });
  await until(
    () => linkTo(2),
    ({ waiting }) => waiting === 0,
  );
  // The first call goes on all this while.
  expect([calls(), await linkTo(HUNG)]).toEqual([1, { waiting: 2, failures: [0] }]);
});
