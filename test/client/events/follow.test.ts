import { describe, expect, test } from "vitest";
import { problem, task as taskJson } from "../fake-api.ts";
import { StreamingMesh } from "./streaming-mesh.ts";

const uuid = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** A mesh whose tasks the test sets, by their IDs. */
function meshOfTasks() {
  const mesh = new StreamingMesh();
  const states = new Map<string, string>();
  let streams = (): Response | null => null;
  mesh.answer = ({ pathname }) => {
    if (pathname === "/v1/events") return streams();
    const id = pathname.split("/").at(-1) ?? "";
    return Response.json(taskJson(states.get(id) ?? "queued", { id }));
  };
  return {
    mesh,
    set: (id: string, state: string) => void states.set(id, state),
    refuse: (answer: () => Response | null) => void (streams = answer),
  };
}

const stateOf = async (tasks: AsyncGenerator<{ readonly state: string }>): Promise<string> =>
  (await tasks.next()).value?.state ?? "over";
const taskEvent = (id: string) => ({
  type: "task.running",
  task: id,
  kind: "sum",
  owner: "admin",
  peer: null,
  fence: 1,
  state: "running",
  previous: "queued",
  progress: null,
  message: null,
});

describe("following tasks", () => {
  test("SK39 all tasks of a controller share one stream, which names them, and each is read when it changes", async () => {
    const { mesh, set } = meshOfTasks();
    const client = mesh.client();
    const [a, b, c] = [uuid(1), uuid(2), uuid(3)];
    const followed = [client.tasks.follow(a), client.tasks.follow(b)] as const;
    expect(await Promise.all(followed.map(stateOf))).toEqual(["queued", "queued"]);
    const [nextA, nextB] = followed.map(stateOf);
    const stream = await mesh.stream(0);
    expect(stream.query.get("task")?.split(",")).toEqual([a, b]);
    stream.position(1);
    set(a, "running");
    stream.event(2, taskEvent(a));
    expect(await nextA).toBe("running");
    // A further task is added to the stream, which goes on where it was.
    const third = client.tasks.follow(c);
    expect(await stateOf(third)).toBe("queued");
    const nextC = stateOf(third);
    const larger = await mesh.stream(1);
    expect(stream.isCancelled).toBe(true);
    expect([larger.query.get("task")?.split(","), larger.query.get("after")]).toEqual([
      [a, b, c],
      "2-0badcafe",
    ]);
    for (const id of [b, c]) {
      set(id, "succeeded");
      larger.event(3, taskEvent(id));
    }
    expect(await Promise.all([nextB, nextC])).toEqual(["succeeded", "succeeded"]);
    expect(await Promise.all([stateOf(followed[1]), stateOf(third)])).toEqual(["over", "over"]);
    expect(larger.isCancelled).toBe(false);
    await followed[0].return();
    expect(larger.isCancelled).toBe(true);
  });

  // A follower that misses the change learns of it 45 s later, when the silent stream is opened again.
  test(
    "SK39 a follower that joins the stream of another one misses nothing that happened before",
    { timeout: 20_000 },
    async () => {
      const { mesh, set } = meshOfTasks();
      const client = mesh.client();
      const id = uuid(1);
      const [first, second] = [client.tasks.follow(id), client.tasks.follow(id)] as const;
      expect(await stateOf(first)).toBe("queued");
      const told = stateOf(first);
      const stream = await mesh.stream(0);
      stream.position(1);
      expect(await stateOf(second)).toBe("queued");
      set(id, "running");
      stream.event(2, taskEvent(id));
      expect(await told).toBe("running");
      expect(await stateOf(second)).toBe("running");
      await Promise.all([first.return(), second.return()]);
    },
  );

  test("SK39 what happens before the stream is open, or while it is broken, is read", async () => {
    const { mesh, set } = meshOfTasks();
    const tasks = mesh.client().tasks.follow(uuid(1));
    expect(await stateOf(tasks)).toBe("queued");
    const running = stateOf(tasks);
    const stream = await mesh.stream(0);
    set(uuid(1), "running");
    stream.position(1);
    expect(await running).toBe("running");
    const ended = stateOf(tasks);
    set(uuid(1), "failed");
    stream.end();
    expect(await ended).toBe("failed");
    expect(await stateOf(tasks)).toBe("over");
  });

  test("SK39 more than 100 tasks share a stream of all tasks", async () => {
    const { mesh } = meshOfTasks();
    const client = mesh.client();
    const followed = Array.from({ length: 101 }, (_, n) => client.tasks.follow(uuid(n)));
    await Promise.all(followed.map(stateOf));
    const waiting = followed.map((tasks) => tasks.next());
    const stream = await mesh.stream(0);
    expect([stream.query.get("task"), stream.query.get("type")]).toEqual([null, "task."]);
    mesh.answer = ({ pathname }) =>
      Response.json(taskJson("succeeded", { id: pathname.split("/").at(-1) }));
    stream.position(1);
    await Promise.all(waiting);
    await Promise.all(followed.map((tasks) => tasks.return()));
    expect(stream.isCancelled).toBe(true);
  });

  test.each([
    ["has no such route", 404, "not_found"],
    ["has too many streams", 429, "rate_limited"],
    ["does not let the token follow", 403, "forbidden"],
  ])(
    "SK39 a mesh that %s is polled, and the stream is not asked for again soon",
    async (_, status, code) => {
      const { mesh, set, refuse } = meshOfTasks();
      let asked = 0;
      refuse(() => {
        asked++;
        return problem(status, code, { retry_after: 60 })();
      });
      const client = mesh.client();
      for (const id of [uuid(1), uuid(2)]) {
        const tasks = client.tasks.follow(id);
        expect(await stateOf(tasks)).toBe("queued");
        const running = stateOf(tasks);
        set(id, "running");
        expect(await running).toBe("running");
        set(id, "succeeded");
        expect(await stateOf(tasks)).toBe("succeeded");
        expect(mesh.requests.at(-1)?.searchParams.get("wait")).toBe("1");
        await tasks.return();
      }
      expect(asked).toBe(1);
    },
  );

  test("SK37 a signal ends a follower that waits for a change, and its stream", async () => {
    const { mesh } = meshOfTasks();
    const abort = new AbortController();
    const tasks = mesh.client().tasks.follow(uuid(1), { signal: abort.signal });
    await tasks.next();
    const waiting = tasks.next();
    const stream = await mesh.stream(0);
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(stream.isCancelled).toBe(true);
  });
});
