import { reset } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import { placeOfKey } from "../../src/cells/placement.ts";
import { bestCell } from "../../src/cells/rendezvous.ts";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { present } from "../must.ts";
import { api, until } from "../durable/api.ts";
import { NoisePeer } from "../durable/noise-peer.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const SILENT = 1;

function silence(): void {
  const execute: Coordinator["execute"] = Reflect.get(Coordinator.prototype, "execute");
  vi.spyOn(Coordinator.prototype, "execute").mockImplementation(function (
    this: Coordinator,
    ...args: Parameters<typeof execute>
  ) {
    const [, , , to] = args;
    if (to.cell === SILENT) return Promise.reject(new Error("injected: no answer"));
    return execute.apply(this, args);
  });
}

/** Submits a task, and waits a second for its end. */
const submit = async (): Promise<number> =>
  (await api("POST", "/v1/tasks?wait=1", { kind: "echo" })).status;

it("CE83 a cell that does not answer somebody who waits for a task gets no other for 5 s", async () => {
  await submit();
  silence();
  await until(submit, (status) => status === 503);
  const others = await Promise.all(Array.from({ length: 16 }, submit));
  expect(others.filter((status) => status === 503)).toEqual([]);
});

it("CE172 what only a cell that does not answer could do is refused with its number", async () => {
  await submit();
  const numbers = Array.from({ length: 64 }, (_, n) => n);
  const isOfSilent = (place: string): boolean => bestCell([0, 1, 2, 3], place) === SILENT;
  const key = present(
    numbers.map((n) => `key ${n}`).find((each) => isOfSilent(placeOfKey("api:admin", each))),
  );
  const peer = present(
    numbers.map((n) => n.toString(16).padStart(32, "0")).find((each) => isOfSilent(each)),
  );
  const task = "01000000-0000-8000-8000-000000000000";
  silence();
  vi.spyOn(Coordinator.prototype, "getOnceEnded").mockRejectedValue(new Error("no answer"));
  const headers = { "Idempotency-Key": key };
  const refused = [
    await api("GET", `/v1/tasks/${task}`),
    await api("GET", `/v1/tasks/${task}?wait=1`),
    await api("DELETE", `/v1/tasks/${task}`),
    await api("GET", `/v1/tasks/${task}/why`),
    await api("GET", `/v1/peers/${peer}`),
    await api("POST", "/v1/tasks", { kind: "echo" }, headers),
  ];
  for (const { status, body } of refused)
    expect([status, body]).toEqual([
      503,
      expect.objectContaining({ detail: `cell ${SILENT} of the mesh does not answer; try again` }),
    ]);
});

it("CE152 a submission that waits is answered with the task, although the cell that it has moved to does not answer", async () => {
  const peer = await NoisePeer.join({ hello: { slots: 4 } }); // it finishes no task
  const home = bestCell([0, 1, 2, 3], peer.keys.id);
  const getOnceEnded: Coordinator["getOnceEnded"] = Reflect.get(
    Coordinator.prototype,
    "getOnceEnded",
  );
  const polled = vi.spyOn(Coordinator.prototype, "getOnceEnded").mockImplementation(function (
    this: Coordinator,
    ...args: Parameters<typeof getOnceEnded>
  ) {
    const [, , , , to] = args;
    if (to.cell === home) return Promise.reject(new Error("injected: no answer"));
    return getOnceEnded.apply(this, args);
  });
  const keys = Array.from({ length: 64 }, (_, n) => `key ${n}`);
  const elsewhere = keys.filter(
    (key) => bestCell([0, 1, 2, 3], placeOfKey("api:admin", key)) !== home,
  );
  const headers = { "Idempotency-Key": present(elsewhere[0]) };
  const task = { kind: "echo" };
  const { status, body } = await api<TaskView>("POST", "/v1/tasks?wait=3", task, headers);
  expect(polled).toHaveBeenCalled();
  expect([status, body.state]).toEqual([202, "queued"]);
  expect(cellOfTask(body.id)).not.toBe(home);
  const moved = await api<TaskView>("GET", `/v1/tasks/${body.id}`);
  expect([moved.status, moved.body.peer_id]).toEqual([200, peer.keys.id]);
});
