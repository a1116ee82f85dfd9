import { describe, expect, test } from "vitest";
import { toProblem, type MusterError } from "../../src/protocol/errors.ts";
import { FakeMesh, taskId } from "./fake-mesh.ts";
import { waitFor } from "../wait-for.ts";

const TICKET = "ticket";
const LARGE = "x".repeat(300_000);

/** A peer whose only task has a large result, and the answer to its upload. */
function bringing(answer: (init: RequestInit) => Promise<Response>) {
  const mesh = new FakeMesh();
  const uploads: { readonly url: string; readonly init: RequestInit }[] = [];
  const { session } = mesh.join({
    handlers: { work: () => LARGE },
    platform: {
      fetch: (url, init) => {
        uploads.push({ url, init });
        return answer(init);
      },
    },
  });
  session.offer({ task_id: taskId(1), fence: 7, upload: TICKET });
  return { mesh, session, uploads };
}

const refusing = (error: MusterError) => () => {
  const { status, ...problem } = toProblem(error);
  return Promise.resolve(Response.json({ ...problem, status }, { status }));
};
const LOST = { code: "lease_lost", detail: "another has it" } as const;

describe("a result that is too large for a message", () => {
  test("AS23 is uploaded with the offer's ticket, and no task_result is sent", async () => {
    const { mesh, session, uploads } = bringing(async () => new Response(null, { status: 204 }));
    await waitFor(() => expect(mesh.eventsOf("task_succeeded")).toHaveLength(1));
    expect(uploads).toMatchObject([
      {
        url: `http://mesh.test/v1/task-results/${taskId(1)}/7`,
        init: {
          method: "PUT",
          headers: {
            authorization: `Bearer ${TICKET}`,
            "content-type": "application/json",
            "content-digest": expect.stringMatching(/^sha-256=:.{44}:$/),
          },
        },
      },
    ]);
    expect(session.payloads("task_result")).toEqual([]);
  });

  test("AS23 of a lost lease is dropped without a message, and its slot is free", async () => {
    const { mesh, session } = bringing(refusing(LOST));
    await waitFor(() => expect(mesh.eventsOf("task_cancelled")).toHaveLength(1));
    expect(session.payloads("task_result")).toEqual([]);
    session.offer({ task_id: taskId(2) });
    expect(session.payloads("task_refuse")).toEqual([]);
  });

  test("AS23 that can't be uploaded is reported to the mesh as a failure", async () => {
    const { session } = bringing(
      refusing({ code: "payload_too_large", detail: "a result holds at most 25 MiB" }),
    );
    await waitFor(() => expect(session.payloads("task_result")).toHaveLength(1));
    expect(session.payloads("task_result")).toMatchObject([
      { task_id: taskId(1), fence: 7, ok: false, error: expect.stringContaining("at most 25 MiB") },
    ]);
  });

  test("AS23 is no longer uploaded when the mesh cancels the task", async () => {
    const { mesh, session, uploads } = bringing(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason as Error)),
        ),
    );
    await waitFor(() => expect(uploads).toHaveLength(1));
    session.send("task_cancel", { task_id: taskId(1), fence: 7, reason: "cancelled" });
    expect(mesh.eventsOf("task_cancelled")).toHaveLength(1);
    expect(uploads[0]?.init.signal?.aborted).toBe(true);
    expect(session.payloads("task_result")).toEqual([]);
  });

  test("AS23 is uploaded again under the newer attempt that has taken over the work", async () => {
    let first = true;
    const { mesh, session, uploads } = bringing(async () => {
      if (!first) return new Response(null, { status: 204 });
      first = false;
      session.offer({ task_id: taskId(1), fence: 8, upload: "newer" });
      return refusing(LOST)();
    });
    await waitFor(() => expect(mesh.eventsOf("task_succeeded")).toHaveLength(1));
    expect(uploads.map(({ url }) => url.at(-1))).toEqual(["7", "8"]);
  });
});
