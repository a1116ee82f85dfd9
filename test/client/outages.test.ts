import { describe, expect, test as base } from "vitest";
import { controller } from "../../src/client/clients/mesh-client.ts";
import type { MeshClient } from "../../src/client/clients/mesh-client.ts";
import type { ControllerOptions } from "../../src/client/clients/options.ts";
import { MusterApiError, TaskFailed, WaitTimeout } from "../../src/client/errors.ts";
import { isOutage, outageDelay } from "../../src/client/http/request-retry.ts";
import { taskOf } from "../../src/client/tasks/task.ts";
import { OUTAGE_LAST_TRY } from "../../src/client/timings.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { task as taskJson } from "./fake-api.ts";
import { FAILURES, LARGE_RESULT, UnreliableMesh, type Failure } from "./unreliable-mesh.ts";

/** Each test has a mesh of its own: many of them wait for the end of an outage, and do so at the same time. */
// oxlint-disable-next-line no-empty-pattern -- Vitest reads from the pattern which fixtures this one needs
const test = base.extend("server", async ({}, { onCleanup }) => {
  const server = new UnreliableMesh();
  await server.listen();
  onCleanup(() => server.close());
  return server;
});

const clientOf = (server: UnreliableMesh, more: Partial<ControllerOptions> = {}): MeshClient =>
  controller({ url: server.url, token: "secret", ...more });

interface Options {
  readonly outageMs?: number;
  readonly signal?: AbortSignal;
}

/** The calls that wait for a task, with the requests that they make, and what they return in the end. */
const CALLS: Readonly<
  Record<string, (mesh: MeshClient, options: Options, id: string) => Promise<unknown>>
> = {
  wait: async (mesh, options, id) => (await mesh.tasks.wait(id, options)).state,
  follow: async (mesh, options, id) => {
    let state = "";
    for await (const seen of mesh.tasks.follow(id, options)) ({ state } = seen);
    return state;
  },
  run: async (mesh, options) =>
    (await mesh.run("sum", null, options)) === LARGE_RESULT ? "succeeded" : "another result",
};

/** How many ordinary answers come before the failures: each moment of a call. */
const MOMENTS: readonly (readonly [string, number])[] = [
  ["wait", 0],
  ["wait", 2],
  ["follow", 1],
  ["run", 0],
  ["run", 1],
  ["run", 4],
];

async function submitted(server: UnreliableMesh, mesh: MeshClient): Promise<string> {
  const { id } = await mesh.tasks.submit("sum");
  server.requests.length = 0;
  return id;
}

/** So that an attempt has a part of the bound for its answer: no whole number of milliseconds. */
const LONGER_THAN_LAST_TRY = OUTAGE_LAST_TRY + 400;

describe.concurrent.each(Object.entries(FAILURES))("when %s", (_, failure: Failure) => {
  test.for(MOMENTS)(
    "SK1 %s goes on after %i answers, and makes no second task",
    async ([call, n], { server }) => {
      const mesh = clientOf(server);
      const id = call === "run" ? "" : await submitted(server, mesh);
      const ordinary = Array.from({ length: n }, () => null);
      server.script.push(...ordinary, failure);
      expect(await CALLS[call]?.(mesh, {}, id)).toBe("succeeded");
      expect(server.script).toEqual([]);
      expect(server.tasks.size).toBe(1);
    },
  );

  test.for(Object.keys(CALLS))(
    "SK2 %s gives up when its bound has passed",
    async (call, { server }) => {
      const mesh = clientOf(server);
      const id = call === "run" ? "" : await submitted(server, mesh);
      server.always = failure;
      const began = performance.now();
      const error = await CALLS[call]?.(mesh, { outageMs: LONGER_THAN_LAST_TRY }, id).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(MusterApiError);
      expect(isOutage(error)).toBe(true);
      const { taskId, idempotencyKey, message } = error as MusterApiError;
      if (call === "run") {
        expect([...server.tasks.keys()]).toEqual([idempotencyKey]);
        expect(message).toContain(idempotencyKey);
      } else {
        expect(taskId).toBe(id);
        expect(message).toContain(id);
      }
      // Not before: in that time it tries again, unless its first try took all of it.
      expect(performance.now() - began).toBeGreaterThanOrEqual(LONGER_THAN_LAST_TRY);
    },
  );

  test("SK1 a request that may not be repeated is sent once", async ({ server }) => {
    const mesh = clientOf(server);
    const id = await submitted(server, mesh);
    server.always = failure;
    const error = await mesh.tasks.repeatCallback(id).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "MusterApiError", taskId: id });
    expect(server.requests).toHaveLength(1);
  });
});

describe.concurrent("a mesh that refuses connections", () => {
  /** Listens again once two connections were refused. */
  const restartsAfterTwo = (server: UnreliableMesh) => {
    let refused = 0;
    return async (url: string, init: RequestInit) => {
      try {
        return await fetch(url, init);
      } catch (error) {
        if (++refused === 2) await server.listen();
        throw error;
      }
    };
  };

  test.for(Object.keys(CALLS))("SK1 and comes back: %s goes on", async (call, { server }) => {
    const id = call === "run" ? "" : await submitted(server, clientOf(server));
    await server.close();
    const mesh = clientOf(server, { fetch: restartsAfterTwo(server) });
    expect(await CALLS[call]?.(mesh, {}, id)).toBe("succeeded");
    expect(server.tasks.size).toBe(1);
  });

  test.for(Object.keys(CALLS))(
    "SK2 for longer than the bound: %s throws unreachable",
    async (call, { server }) => {
      const id = call === "run" ? "" : await submitted(server, clientOf(server));
      await server.close();
      const mesh = clientOf(server, { outageMs: LONGER_THAN_LAST_TRY });
      await expect(CALLS[call]?.(mesh, {}, id)).rejects.toMatchObject({
        code: "unreachable",
        taskId: call === "run" ? undefined : id,
      });
    },
  );

  test("SK2 a wait with a timeout is not longer than that", async ({ server }) => {
    const id = await submitted(server, clientOf(server));
    await server.close();
    const waited = clientOf(server).tasks.wait(id, { timeoutMs: 150 });
    await expect(waited).rejects.toMatchObject({ code: "unreachable", taskId: id });
  });
});

describe("an answer that concerns the request", () => {
  const refusal =
    (status: number, code: string): Failure =>
    (response) =>
      void response
        .writeHead(status, { "content-type": "application/problem+json" })
        .end(JSON.stringify({ type: "", title: "t", status, code, detail: "the detail" }));

  test.for<[number, string]>([
    [400, "invalid_request"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
    [409, "idempotency_conflict"],
    [413, "too_large"],
    [500, "internal"],
    [504, "peer_timeout"],
  ])("SK1 %i %s is thrown at once by each call", async ([status, code], { server }) => {
    const mesh = clientOf(server);
    const id = await submitted(server, mesh);
    server.always = refusal(status, code);
    for (const call of Object.values(CALLS)) {
      server.requests.length = 0;
      await expect(call(mesh, {}, id)).rejects.toMatchObject({ code, status });
      expect(server.requests).toHaveLength(1);
    }
  });
});

describe("an abort", () => {
  /** The call waits for the mesh's answer, for the rest of it, or until it tries again. */
  const MOMENTS_OF_ABORT: Readonly<Record<string, Failure>> = {
    "before the head": () => {},
    "in the middle of the body": (response, answer) =>
      void response
        .writeHead(200, { "content-length": answer.length })
        .write(answer.slice(0, Math.floor(answer.length / 2))),
    "in the middle of an error": (response) =>
      void response.writeHead(503, { "content-length": 100 }).write("<html>"),
    "during a pause": (response) => void response.writeHead(503, { "retry-after": "30" }).end(),
  };

  describe.each(Object.entries(MOMENTS_OF_ABORT))("%s", (_, failure) => {
    test.for(MOMENTS)(
      "SK3 ends %s after %i answers with its reason",
      async ([call, n], { server }) => {
        const mesh = clientOf(server);
        const id = call === "run" ? "" : await submitted(server, mesh);
        server.script.push(...Array.from({ length: n }, () => null));
        const abort = new AbortController();
        const reason = new Error("enough");
        const reached = Promise.withResolvers<void>();
        server.script.push((response, answer) => {
          failure(response, answer);
          setTimeout(reached.resolve, 20);
        });
        const ended = CALLS[call]?.(mesh, { signal: abort.signal }, id).catch((e: unknown) => e);
        await reached.promise;
        abort.abort(reason);
        expect(await ended).toBe(reason);
        expect(server.script).toEqual([]);
      },
    );
  });

  test.for(Object.keys(CALLS))("SK3 before %s sends no request", async (call, { server }) => {
    const reason = new Error("enough");
    const options = { signal: AbortSignal.abort(reason) };
    await expect(CALLS[call]?.(clientOf(server), options, crypto.randomUUID())).rejects.toBe(
      reason,
    );
    expect(server.requests).toEqual([]);
  });
});

describe("the pause within an outage", () => {
  const failed = (retryAfter?: number) =>
    new MusterApiError("unavailable", 503, "", { retryAfter });

  test("SK4 grows, is at least half of its step, and ends at the bound", () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((n) => outageDelay(failed(), n, 60_000, 0.999));
    expect(pauses).toEqual([200, 400, 800, 1_600, 3_199, 4_998]);
    expect(outageDelay(failed(), 1, 60_000, 0)).toBe(100);
    expect(outageDelay(failed(), 9, 700, 0.5)).toBe(700);
    expect(outageDelay(failed(), 1, 0, 0.5)).toBeNull();
  });

  test("SK4 is at least Retry-After; one that is longer than the bound ends the call", () => {
    expect(outageDelay(failed(7), 1, 60_000, 0)).toBe(7_100);
    expect(outageDelay(failed(7), 1, 7_000, 0.9)).toBe(7_000);
    expect(outageDelay(failed(8), 1, 7_999, 0)).toBeNull();
  });

  test("SK4 Retry-After of a proxy is obeyed", async ({ server }) => {
    const mesh = clientOf(server);
    const id = await submitted(server, mesh);
    server.script.push((response) => void response.writeHead(503, { "retry-after": "61" }).end());
    await expect(mesh.tasks.wait(id)).rejects.toMatchObject({ retryAfter: 61, taskId: id });
    expect(server.requests).toHaveLength(1);
  });
});

describe("what a call is asked for", () => {
  test.for([-1, Number.NaN, "60", null])(
    "SK5 outageMs %s is refused",
    async (outageMs, { server }) => {
      const bad = { outageMs } as unknown as { outageMs: number };
      expect(() => clientOf(server, bad)).toThrow(/outageMs/);
      for (const call of Object.values(CALLS))
        await expect(call(clientOf(server), bad, crypto.randomUUID())).rejects.toThrow(/outageMs/);
      expect(server.requests).toEqual([]);
    },
  );

  test("SK5 outageMs 0 retries a few times only, like a call that does not wait", async ({
    server,
  }) => {
    const mesh = clientOf(server, { outageMs: 0 });
    const id = await submitted(server, mesh);
    server.always = (response) => void response.writeHead(502).end();
    await expect(mesh.tasks.wait(id)).rejects.toMatchObject({ status: 502 });
    expect(server.requests).toHaveLength(5);
  });
});

test("SK6 errors about a task name it", () => {
  const shown = taskOf(taskJson("failed") as unknown as TaskView);
  expect(new TaskFailed(shown).taskId).toBe(shown.id);
  expect(new WaitTimeout(shown).taskId).toBe(shown.id);
  for (const error of [new TaskFailed(shown), new WaitTimeout(shown)])
    expect(error.message).toContain(shown.id);
});

test("SK6 a result that can't be fetched after the task's end names the task", async ({
  server,
}) => {
  const mesh = clientOf(server);
  server.script.push(null, null, null, null, (response) => void response.writeHead(410).end());
  const error = await mesh.run("sum").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ taskId: [...server.tasks.values()][0] });
});
