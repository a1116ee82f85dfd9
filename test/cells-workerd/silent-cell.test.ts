import { reset } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import { api, until } from "../durable/api.ts";

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
