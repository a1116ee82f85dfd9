import { describe, expect, test } from "vitest";
import { describeError, errorJson } from "../../../src/cli/failure.ts";
import { submitTask } from "../../../src/cli/wait/submit-task.ts";
import { MusterApiError, type MeshClient, type SubmitOptions } from "../../../src/client/index.ts";
import { task } from "../../client/fake-api.ts";
import { writtenDuring } from "../terminal.ts";

const outage = (cause?: Error) =>
  new MusterApiError("unreachable", 0, "http://mesh.test/ does not answer", {
    ...(cause && { cause }),
  });
const withCode = (code: string) => Object.assign(new Error(code), { code });

/** A mesh whose first answers are these errors. */
function meshThat(...fails: readonly Error[]) {
  const keys: (string | undefined)[] = [];
  const submit = (_kind: string, _payload: unknown, options: SubmitOptions) => {
    keys.push(options.idempotencyKey);
    const error = fails[keys.length - 1];
    return error === undefined ? Promise.resolve(task("queued")) : Promise.reject(error);
  };
  return { keys, mesh: { tasks: { submit } } as unknown as Pick<MeshClient, "tasks"> };
}
const TASK = { kind: "a", payload: 1, options: {} };

describe("CL74 a submission that waits for its task", () => {
  test("is repeated under one key of its own while the mesh does not answer, which is told once", async () => {
    const { keys, mesh } = meshThat(
      outage(withCode("ECONNREFUSED")),
      new MusterApiError("unavailable", 503, "the mesh is starting or stopping; try again"),
    );
    const text = await writtenDuring(async () => {
      expect(await submitTask(mesh, TASK, { outageMs: 60_000, json: false })).toMatchObject({
        state: "queued",
      });
    });
    expect(text).toBe("the mesh does not answer; the task is submitted again for 1 min\n");
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("CE172 names the cell that does not answer", async () => {
    const detail = "cell 12 of the mesh does not answer; try again";
    const { mesh } = meshThat(new MusterApiError("unavailable", 503, detail));
    const text = await writtenDuring(async () => {
      await submitTask(mesh, TASK, { outageMs: 60_000, json: false });
    });
    expect(text).toBe(
      "cell 12 of the mesh does not answer; the task is submitted again for 1 min\n",
    );
  });

  test("uses the key that is given, and writes nothing for programs", async () => {
    const { keys, mesh } = meshThat(outage());
    const options = { idempotencyKey: "order-7" };
    const text = await writtenDuring(async () => {
      await submitTask(mesh, { ...TASK, options }, { outageMs: 60_000, json: true });
    });
    expect([text, ...keys]).toEqual(["", "order-7", "order-7"]);
  });

  test.each([
    ["the mesh refuses it", new MusterApiError("unauthorized", 401, "no"), 60_000],
    ["the queue is full", new MusterApiError("queue_full", 429, "full"), 60_000],
    ["the disk is full", new MusterApiError("storage_full", 507, "full"), 60_000],
    ["the name does not exist", outage(withCode("ENOTFOUND")), 60_000],
    ["TLS fails", outage(withCode("CERT_HAS_EXPIRED")), 60_000],
    ["nobody waits for it", outage(withCode("ECONNREFUSED")), 0],
  ])("ends at once if %s", async (_, error, outageMs) => {
    const { keys, mesh } = meshThat(error);
    await expect(submitTask(mesh, TASK, { outageMs, json: true })).rejects.toBe(error);
    expect(keys).toHaveLength(1);
  });

  test("ends after the time of the outage, and when it is stopped", async () => {
    const many = Array.from({ length: 50 }, () => outage());
    await expect(
      submitTask(meshThat(...many).mesh, TASK, { outageMs: 10, json: true }),
    ).rejects.toMatchObject({ code: "unreachable" });
    const stop = new AbortController();
    const stopped = submitTask(meshThat(...many).mesh, TASK, {
      outageMs: 60_000,
      json: true,
      signal: stop.signal,
    });
    stop.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
  });

  test("names the option of the command, and not that of the SDK, if it has to be repeated by hand", () => {
    const error = new MusterApiError("unreachable", 0, "http://mesh.test/ does not answer", {
      idempotencyKey: "key-1",
    });
    expect(describeError(error).text).toBe(
      "unreachable: http://mesh.test/ does not answer; the task may have been submitted: submit it again with --idempotency-key key-1, which makes no second task",
    );
    expect(errorJson(error)).toMatchObject({
      code: "unreachable",
      exit_code: 3,
      idempotency_key: "key-1",
    });
  });
});
