import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { utf8, type Bytes } from "../../src/base/bytes.ts";
import {
  WEBHOOK_BODY_BYTES_DEFAULT,
  WEBHOOK_BODY_BYTES_MAX,
  WEBHOOK_STORED_BODY_BYTES_MAX,
} from "../../src/protocol/constants.ts";
import type { DryRunView, KeptDelivery, TaskView } from "../../src/protocol/http.ts";
import { DeliveryBody } from "../../workers/delivery-body.ts";
import { LargeDeliveries } from "../../workers/large-deliveries.ts";
import { must, mustFail } from "../must.ts";
import { call, placesOf, problemOf, type Call, type Reply } from "./http.ts";
import {
  deliver,
  github,
  GITHUB_SOURCE,
  register,
  standard,
  STANDARD_SOURCE,
  withHeaders,
  type Delivered,
} from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const MiB = 1_024 * 1_024;

/** An event of this size, whose mapped values are at its beginning and at its end. */
const eventOf = (size: number, fields = '"type":"file.added"'): string =>
  `{${fields},"filler":"${"x".repeat(size)}","last":{"n":[1,2]}}`;

/** The body in parts, without Content-Length. */
const inParts = (body: Bytes, length: number, between: () => Promise<unknown> = async () => {}) => {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (at > body.length / 2) {
          await between();
          between = async () => {};
        }
        if (at >= body.length) return controller.close();
        controller.enqueue(body.slice(at, at + length));
        at += length;
      },
    },
    { highWaterMark: 0 },
  );
};

const withLength = async (delivery: Call): Promise<Call> =>
  withHeaders(delivery, { "Content-Length": String((delivery.raw as Bytes).length) });

const payloadOf = async ({ body }: Reply<Delivered>): Promise<unknown> =>
  (await call<TaskView>("GET", `/v1/tasks/${body.task_id}`)).body.payload;

const LAST = { kind: "read", payload: { last: "$.last" } };

describe("a large delivery", () => {
  it.each([["with"], ["without"]])(
    "WH45 becomes its task %s a stated length, and is found again when it is repeated",
    async (stated) => {
      await register("repo", { ...GITHUB_SOURCE, task: LAST });
      const signed = await github(eventOf(3 * MiB));
      const delivery = stated === "with" ? await withLength(signed) : signed;
      const send = () =>
        deliver("repo", { ...delivery, raw: inParts(signed.raw as Bytes, 50_000) });
      const first = await send();
      expect(first).toMatchObject({ status: 202, body: { duplicate: false } });
      expect(await payloadOf(first)).toEqual({ last: { n: [1, 2] } });
      expect((await send()).body).toMatchObject({ task_id: first.body.task_id, duplicate: true });
    },
  );

  it("WH45 may be a form, whose payload is read like JSON", async () => {
    await register("repo", { ...GITHUB_SOURCE, task: LAST });
    const form = new URLSearchParams({ payload: eventOf(2 * MiB, '"é":"&=+%"') }).toString();
    const reply = await deliver("repo", await github(form));
    expect(await payloadOf(reply)).toEqual({ last: { n: [1, 2] } });
  });

  it("WH47 is answered with event_unmapped and the path if a mapped value is too large for a task", async () => {
    await register("repo", { ...GITHUB_SOURCE, task: { kind: "read", payload: ["$.filler"] } });
    const delivery = await github(eventOf(2 * MiB));
    const { detail } = problemOf(await deliver("repo", delivery), "event_unmapped");
    expect(detail).toContain("$.filler is larger than 262144 bytes");
    await register("repo", {
      ...GITHUB_SOURCE,
      task: { kind: "read", payload: ["$.filler"] },
      filters: [{ path: "$.last.n[-1]", equals: 3 }],
    });
    expect((await deliver("repo", delivery)).body.filtered).toContain("$.last.n[-1]");
  });

  it("WH54 is verified by the source as it is when its body begins", async () => {
    await register("files", { max_body_bytes: 2 * MiB });
    const other = `whsec_${btoa("another secret of 24 bytes")}`;
    const key = utf8("another secret of 24 bytes");
    const event = eventOf(MiB + 1);
    expect((await deliver("files", await standard(event, { id: "a" }))).status).toBe(422);
    await register("files", { max_body_bytes: 2 * MiB, secret: other, task: LAST });
    problemOf(await deliver("files", await standard(event, { id: "b" })), "signature_invalid");
    expect((await deliver("files", await standard(event, { id: "c", key }))).status).toBe(202);
  });

  it("WH54 must be sent again if its source changes while its body arrives", async () => {
    await register("repo", { ...GITHUB_SOURCE, task: LAST });
    const delivery = await github(eventOf(2 * MiB));
    const changed = inParts(delivery.raw as Bytes, 50_000, () =>
      register("repo", { ...GITHUB_SOURCE, task: { ...LAST, kind: "other" } }),
    );
    const { retry_after: wait } = problemOf(
      await deliver("repo", { ...delivery, raw: changed }),
      "unavailable",
    );
    expect(wait).toBeGreaterThan(0);
    const again = await deliver("repo", delivery);
    const task = await call<TaskView>("GET", `/v1/tasks/${again.body.task_id}`);
    expect(task.body.kind).toBe("other");
  });
});

describe("the largest body of a source", () => {
  const filled = (bytes: number): string => {
    const event = '{"type":"a","data":""}';
    return event.replace('""', `"${"x".repeat(bytes - event.length)}"`);
  };
  const SOURCE = { ...STANDARD_SOURCE, task: { kind: "$.type", payload: 1 } };

  it.each([
    ["what the scheme's senders send", SOURCE, WEBHOOK_BODY_BYTES_DEFAULT],
    ["what the source states", { ...SOURCE, max_body_bytes: 2 * MiB }, 2 * MiB],
    ["less, if the source states it", { ...SOURCE, max_body_bytes: 2_000 }, 2_000],
  ])("WH48 is %s", async (_, source, max) => {
    await register("files", source);
    for (const [bytes, status] of [
      [max, 202],
      [max + 1, 413],
    ] as const) {
      const body = filled(bytes);
      const delivery = await standard(body, { id: `n${bytes}` });
      const streamed = { ...delivery, raw: inParts(utf8(body), 100_000) };
      for (const one of [await withLength(delivery), streamed]) {
        const reply = await deliver("files", one);
        expect(reply.status).toBe(status);
        if (status === 413)
          expect(problemOf(reply, "payload_too_large").detail).toContain("max_body_bytes");
      }
    }
  });

  it("WH48 is 25 MiB for GitHub", async () => {
    await register("repo", { ...GITHUB_SOURCE, task: { kind: "push", payload: "$.type" } });
    const bytes = 24 * MiB;
    const reply = await deliver("repo", await github(filled(bytes)));
    expect(reply.status).toBe(202);
    const stated = withHeaders(await github("{}"), {
      "Content-Length": String(WEBHOOK_BODY_BYTES_MAX + 1),
    });
    problemOf(await deliver("repo", stated), "payload_too_large");
  });

  it.each([1_023, WEBHOOK_BODY_BYTES_MAX + 1, 1.5])(
    "WH48 cannot be %s bytes",
    async (max_body_bytes) => {
      const json = { ...SOURCE, max_body_bytes };
      const refused = await call("PUT", "/v1/webhook-sources/files", { json });
      expect(placesOf(refused)).toEqual(["max_body_bytes"]);
    },
  );
});

describe("the body of a delivery", () => {
  const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const requestOf = (body: ReadableStream) =>
    new Request("https://mesh.test/", { method: "POST", body });

  it("WH50 must arrive in time", async () => {
    const body = new DeliveryBody(requestOf(never), 1);
    expect(mustFail(await body.next(MiB)).code).toBe("request_timeout");
  });

  it("WH50 that breaks off is no defect of the mesh", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("reset")),
    });
    const body = new DeliveryBody(requestOf(broken), 60_000);
    expect(mustFail(await body.next(MiB)).code).toBe("invalid_request");
    body.stop();
  });
});

describe("large deliveries at the same time", () => {
  it("WH49 are limited for each address, each source and in all", async () => {
    const turns = new LargeDeliveries(0);
    const begun = async (source: string, address: string): Promise<boolean> =>
      (await turns.begin(source, address)).ok;
    const counts = { address: 0, source: 0, all: 0 };
    while (await begun("one", "192.0.2.1")) counts.address++;
    for (let i = 2; await begun("one", `192.0.2.${i}`); i++) counts.source++;
    for (let i = 2; await begun(`other ${i}`, `198.51.100.${i}`); i++) counts.all++;
    expect(counts).toEqual({ address: 2, source: 2, all: 4 });
    const busy = mustFail(await turns.begin("another", "203.0.113.1"));
    expect(busy).toMatchObject({ code: "unavailable", retryAfter: expect.any(Number) });
  });

  it("WH49 take turns", async () => {
    const turns = new LargeDeliveries();
    const [first] = [
      must(await turns.begin("one", "192.0.2.1")),
      must(await turns.begin("one", "192.0.2.1")),
    ];
    const third = turns.begin("one", "192.0.2.1");
    first?.();
    must(await third);
  });
});

describe("a recorded delivery whose body is not stored", () => {
  const kept = async (): Promise<KeptDelivery[]> =>
    (await call<{ deliveries: KeptDelivery[] }>("GET", "/v1/webhook-sources/repo/deliveries")).body
      .deliveries;
  const replay = (id: string) =>
    call<Delivered>("POST", `/v1/webhook-sources/repo/deliveries/${id}/replay?new_task=true`);

  it.each([WEBHOOK_STORED_BODY_BYTES_MAX, 2 * MiB])(
    "WH16 is replayed from the values that its source read of it: %d bytes",
    async (size) => {
      const filters = [{ path: "$.last.n[0]", equals: 1 }];
      await register("repo", { ...GITHUB_SOURCE, task: LAST, filters });
      await deliver("repo", await github(eventOf(size)));
      const id = (await kept())[0]?.id ?? "";
      expect(await payloadOf(await replay(id))).toEqual({ last: { n: [1, 2] } });
      // A part of a value that is stored, under other filters and as another kind.
      const part = { kind: "other", payload: { all: "$.last", one: "$.last.n[-1]" } };
      await register("repo", { ...GITHUB_SOURCE, task: part });
      expect(await payloadOf(await replay(id))).toEqual({ all: { n: [1, 2] }, one: 2 });
      const shown = await call<DryRunView>("POST", "/v1/webhook-sources/repo/test", {
        json: { delivery: id },
      });
      expect(shown.body).toMatchObject({ outcome: "task", task: { kind: "other" }, event: null });
    },
  );

  it("WH16 is not replayed by rules that read other values, and the answer names the first of them", async () => {
    await register("repo", { ...GITHUB_SOURCE, task: LAST });
    await deliver("repo", await github(eventOf(2 * MiB)));
    const id = (await kept())[0]?.id ?? "";
    await register("repo", { ...GITHUB_SOURCE, task: { ...LAST, payload: ["$.last", "$.type"] } });
    expect(problemOf(await replay(id), "conflict").detail).toContain("$.type");
  });
});
