import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { CellTarget, RpcCommand } from "../../durable/rpc.ts";
import { utf8 } from "../../src/base/bytes.ts";
import type { KeptDelivery, TaskView } from "../../src/protocol/http.ts";
import { call, callWith, problemOf } from "./http.ts";
import { deliver, register, standard, storedBy, type Delivered } from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added","data":{"file":"a.txt"}}';
const SOURCE = "/v1/webhook-sources/files";

interface Stub {
  execute(
    version: number,
    actor: string,
    commands: readonly RpcCommand[],
    to: CellTarget,
  ): Promise<unknown>;
}

/** The mesh's bindings, where `change` runs after each answer of `command` and before the gateway receives it. */
function changingAfter(command: string, change: () => Promise<unknown>) {
  const real = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")) as unknown as Stub;
  const execute: Stub["execute"] = async (version, actor, commands, to) => {
    const answer = await real.execute(version, actor, commands, to);
    if (commands.some(({ name }) => name === command)) await change();
    return answer;
  };
  return { COORDINATOR: { idFromName: (name: string) => name, get: () => ({ execute }) } };
}

/** Runs `change` at the first call only. */
function once(change: () => Promise<unknown>): () => Promise<unknown> {
  let changed = false;
  return async () => {
    if (changed) return;
    changed = true;
    await change();
  };
}

const deliverWhile = async (change: () => Promise<unknown>) =>
  callWith<Delivered>(
    changingAfter("open_webhook_source", change),
    "POST",
    "/v1/webhooks/files",
    await standard(EVENT),
  );
const kinds = async (): Promise<string[]> => {
  const { body } = await call<{ tasks: TaskView[] }>("GET", "/v1/tasks");
  return body.tasks.map(({ kind }) => kind);
};
const deliveries = async (): Promise<KeptDelivery[]> =>
  (await call<{ deliveries: KeptDelivery[] }>("GET", `${SOURCE}/deliveries`)).body.deliveries;

describe("a source that changes while a delivery is processed", () => {
  it("WH4 maps the delivery by its new mapping", async () => {
    await register("files", { task: { kind: "old" } });
    const reply = await deliverWhile(once(() => register("files", { task: { kind: "new" } })));
    expect(reply.status).toBe(202);
    expect(await kinds()).toEqual(["new"]);
    expect(await deliveries()).toHaveLength(1);
  });

  it("WH11 applies its new filters", async () => {
    await register("files");
    const filters = [{ path: "$.type", equals: "other" }];
    const reply = await deliverWhile(once(() => register("files", { filters })));
    expect(reply.body).toMatchObject({
      task_id: null,
      filtered: expect.stringContaining("$.type"),
    });
    expect(await kinds()).toEqual([]);
  });

  it("WH1 refuses the delivery if its signature was made with the secret before", async () => {
    await register("files");
    const secret = `whsec_${btoa("another secret of 24 bytes")}`;
    const reply = await deliverWhile(once(() => register("files", { secret })));
    problemOf(reply, "signature_invalid");
    expect(await storedBy("files")).toEqual({ tasks: 0, deliveries: 0 });
  });

  it("WH4 refuses the delivery if the source is removed", async () => {
    await register("files");
    problemOf(await deliverWhile(once(() => call("DELETE", SOURCE))), "not_found");
    expect(await kinds()).toEqual([]);
  });

  it("WH4 maps by the new source if the source is removed and created again", async () => {
    await register("files", { task: { kind: "old" } });
    await deliverWhile(
      once(async () => {
        await call("DELETE", SOURCE);
        await register("files", { task: { kind: "new" } });
      }),
    );
    expect(await kinds()).toEqual(["new"]);
  });

  it("WH4 evaluates the delivery again even if the change leaves everything as it was", async () => {
    await register("files", { task: { kind: "same" } });
    await deliverWhile(once(() => register("files", { task: { kind: "same" } })));
    expect(await kinds()).toEqual(["same"]);
  });

  it("WH4 answers unavailable and stores nothing if it changes at every attempt", async () => {
    await register("files", { task: { kind: "k0" } });
    let changes = 0;
    const reply = await deliverWhile(() =>
      register("files", { task: { kind: `k${(changes += 1)}` } }),
    );
    problemOf(reply, "unavailable");
    expect(reply.headers.get("Retry-After")).not.toBeNull();
    expect([await kinds(), await deliveries(), changes]).toEqual([[], [], 3]);
    expect((await deliver("files", await standard(EVENT))).body.duplicate).toBe(false);
    expect(await kinds()).toEqual(["k3"]);
  });

  it("WH4 does not affect a delivery whose task was committed before", async () => {
    await register("files", { task: { kind: "old" } });
    const bindings = changingAfter(
      "receive_delivery",
      once(() => register("files", { task: { kind: "new" } })),
    );
    const first = await callWith<Delivered>(
      bindings,
      "POST",
      "/v1/webhooks/files",
      await standard(EVENT),
    );
    expect(await kinds()).toEqual(["old"]);
    const again = await deliver("files", await standard(EVENT));
    expect(again.body).toMatchObject({ task_id: first.body.task_id, duplicate: true });
  });

  it("WH15 applies to a replay, too", async () => {
    await register("files", { filters: [{ path: "$.type", equals: "other" }] });
    await deliver("files", await standard(EVENT));
    await register("files", { task: { kind: "old" } });
    const [delivery] = await deliveries();
    const bindings = changingAfter(
      "open_delivery",
      once(() => register("files", { task: { kind: "new" } })),
    );
    const reply = await callWith(bindings, "POST", `${SOURCE}/deliveries/${delivery?.id}/replay`);
    expect(reply.status).toBe(202);
    expect(await kinds()).toEqual(["new"]);
  });
});

it("WH5 a change without a secret is refused if the secret was replaced meanwhile, and else keeps the secret", async () => {
  await register("files");
  const key = utf8("another secret of 24 bytes");
  const secret = `whsec_${btoa("another secret of 24 bytes")}`;
  const bindings = changingAfter(
    "open_webhook_source",
    once(() => register("files", { secret })),
  );
  const json = { scheme: "standard-webhooks", task: { kind: "kept" } };
  problemOf(await callWith(bindings, "PUT", SOURCE, { json }), "conflict");
  problemOf(await deliver("files", await standard(EVENT)), "signature_invalid");
  expect((await call("PUT", SOURCE, { json })).status).toBe(200);
  await deliver("files", await standard(EVENT, { key }));
  expect(await kinds()).toEqual(["kept"]);
});
