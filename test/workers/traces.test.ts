import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/protocol/http.ts";
import { call } from "./http.ts";
import { deliver, register, standard, withHeaders } from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const HEADERS = { traceparent: TRACEPARENT, tracestate: "vendor=value" };
const read = async (id: string) => (await call<TaskView>("GET", `/v1/tasks/${id}`)).body;

describe("the trace of a request", () => {
  it("TR1 is kept with the task that it submits", async () => {
    const submit = { json: { kind: "test" }, headers: HEADERS };
    const { status, body } = await call<TaskView>("POST", "/v1/tasks", submit);
    expect([status, body]).toEqual([202, expect.objectContaining(HEADERS)]);
    expect(await read(body.id)).toMatchObject(HEADERS);
  });

  it("TR1 is kept with all tasks of a batch", async () => {
    const tasks = [{ kind: "a" }, { kind: "b" }];
    const { body } = await call("POST", "/v1/task-batches", { json: { tasks }, headers: HEADERS });
    const traced = { task: { traceparent: TRACEPARENT } };
    expect(body).toMatchObject({ results: [traced, traced] });
  });

  it("TR1 is kept with the task of a webhook", async () => {
    await register("files");
    const delivery = withHeaders(await standard('{"type":"file.added"}'), HEADERS);
    const { body } = await deliver("files", delivery);
    expect(await read(body.task_id ?? "")).toMatchObject(HEADERS);
  });

  it.each([
    [{ traceparent: "00-trace" }, null],
    [{ traceparent: `${TRACEPARENT}, ${TRACEPARENT}` }, null],
    [{ traceparent: TRACEPARENT.toUpperCase() }, null],
    [{ tracestate: "vendor=value" }, null],
    [{ traceparent: TRACEPARENT, tracestate: "Vendor" }, TRACEPARENT],
    [{ traceparent: TRACEPARENT.replace(/^00/, "cc") }, TRACEPARENT],
  ])(
    "TR3 that is not valid is ignored, and the request served: %j",
    async (headers, traceparent) => {
      const submit = { json: { kind: "test" }, headers: headers as Record<string, string> };
      const { status, body } = await call<TaskView>("POST", "/v1/tasks", submit);
      expect([status, body.traceparent, body.tracestate]).toEqual([202, traceparent, null]);
    },
  );

  it("HT100 the description lists its headers for the paths that submit tasks", async () => {
    const { body } = await call<Description>("GET", "/openapi.json");
    for (const path of ["/v1/tasks", "/v1/task-batches"]) {
      const { parameters } = body.paths[path]?.post ?? { parameters: [] };
      const headers = parameters.filter((parameter) => parameter.in === "header");
      expect(headers.map(({ name }) => name)).toEqual([
        "idempotency-key",
        "traceparent",
        "tracestate",
      ]);
    }
  });
});

interface Description {
  readonly paths: Record<
    string,
    { readonly post: { readonly parameters: { readonly name: string; readonly in: string }[] } }
  >;
}
