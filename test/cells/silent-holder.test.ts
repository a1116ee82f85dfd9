import { expect, it, test } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { newTaskId } from "../../src/cells/task-cell.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import type { BulkView, TaskView } from "../../src/protocol/http.ts";
import { ROUTES } from "../../src/routing/routes.ts";
import type { Network } from "../../src/routing/network.ts";
import { must } from "../must.ts";
import { seededNumbers, seededRandom } from "../random.ts";

const UNAVAILABLE: MusterError = { code: "unavailable", detail: "no answer" };

/** Cells that have given all their tasks to others. `isSilent`: the cell that has the task does not answer; its former cell says so after 5 s. */
function networkOf(cells: number, isSilent: (id: string) => boolean) {
  const random = seededNumbers(1);
  const clock = { now: 0, previewed: [] as string[] };
  const answerOf = async (name: string, input: object): Promise<Result<unknown, MusterError>> => {
    if (name === "preview_tasks") {
      const { ids } = input as { ids: readonly string[] };
      const skipped = ids.map((id) => ({ id, code: "not_found" as const }));
      return ok({ count: 0, task_ids: [], skipped, next_cursor: null } satisfies BulkView);
    }
    const { id } = input as { id: string };
    const began = clock.now;
    await Promise.resolve();
    if (!isSilent(id)) return ok({ id, state: "queued", ended_at: null } as TaskView);
    clock.now = Math.max(clock.now, began + 5 * SECOND);
    return err(UNAVAILABLE);
  };
  const network = {
    topology: { version: 1, cells: Array.from({ length: cells }, () => "active"), earlier: [] },
    get now() {
      return clock.now;
    },
    random,
    ask: (_cell: number, name: string, input: object) => answerOf(name, input),
  } as unknown as Network;
  return { network, clock };
}

/** Names 1,000 tasks of these cells for an act, once. */
async function actOnThousand(cells: number, isSilent: (at: number) => boolean) {
  const randomBytes = seededRandom(1);
  const ids = Array.from({ length: 1_000 }, (_, n) => newTaskId(randomBytes, n % cells));
  const silent = new Set(ids.filter((_, n) => isSilent(n)));
  const { network, clock } = networkOf(cells, (id) => silent.has(id));
  const route = ROUTES.preview_tasks;
  const repeat = async (named: readonly string[], cursor?: string) =>
    must(await route(network, { act: "cancel", ids: [...named], cursor, visibleTo: null }));
  return { ids, silent, clock, repeat };
}

test.each([1, 4, 64])(
  "CE48 an act on tasks that have moved from %i cells to one that does not answer takes 10 s at most, and names what it has not done",
  async (cells) => {
    const { ids, clock, repeat } = await actOnThousand(cells, () => true);
    let cursor: string | undefined;
    const skipped = new Set<string>();
    do {
      const began = clock.now;
      const view = await repeat(ids, cursor);
      expect(clock.now - began).toBeLessThanOrEqual(10 * SECOND);
      expect(view.skipped.filter(({ code }) => code !== "unavailable")).toEqual([]);
      for (const { id } of view.skipped) skipped.add(id);
      cursor = view.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(skipped).toEqual(new Set(ids));
  },
);

it("CE48 repeated for what is not done, an act comes to all tasks of cells that answer, whatever their order", async () => {
  const { ids, silent, repeat } = await actOnThousand(1, (at) => at < 200);
  let left = ids;
  for (let repeats = 0; left.length > silent.size; repeats++) {
    expect(repeats).toBeLessThan(200);
    const view = await repeat(left);
    left = view.skipped.map(({ id }) => id);
  }
  expect(new Set(left)).toEqual(silent);
});
