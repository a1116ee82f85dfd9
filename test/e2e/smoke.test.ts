import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectPeer, controller, deliver, newWebhookSecret } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, start } from "./processes.ts";

let started: TestMesh;
beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

test("a peer joins a local mesh, runs a task with a program, and is revoked", async () => {
  const options = { cwd: started.dir };
  const peer = start(["join", "--name", "counter", "--exec", "wc -c"], options);
  await peer.waitForOutput(/joined .* as worker/);
  const assigned = await muster(["assign", "count", '"hello"', "--wait"], options);
  // stderr may tell how the task was doing.
  expect(assigned).toMatchObject({ code: 0, stdout: "7\n" });
  const peers = await muster(["peers", "--json"], options);
  const [view] = JSON.parse(peers.stdout) as { id: string }[];
  expect(view).toMatchObject({ name: "counter", state: "active", successes: 1 });
  expect(await muster(["revoke", String(view?.id)], options)).toMatchObject({ code: 0 });
  expect(await peer.finished).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("the mesh has revoked this peer"),
  });
});

test("a peer of the SDK runs tasks that were submitted over HTTP and by a signed webhook", async () => {
  const { url, meshKey, adminToken: token } = started.mesh;
  const mesh = controller({ url, token });
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const peer = connectPeer({
    url,
    meshKey,
    slots: 4,
    handlers: { hash: (payload) => sha256(payload as string) },
  });
  await peer.ready;
  const texts = Array.from({ length: 20 }, (_, n) => `text ${n}`);
  const results = await Promise.all(texts.map((text) => mesh.run("hash", text)));
  expect(results).toEqual(texts.map(sha256));

  const secret = newWebhookSecret();
  await mesh.webhooks.put("texts", {
    scheme: "standard-webhooks",
    secret,
    task: { kind: "hash", payload: "$.text" },
  });
  const { task_id } = await deliver({ text: "sent" }, { url, source: "texts", secret });
  expect(await mesh.tasks.wait(String(task_id))).toMatchObject({ result: sha256("sent") });
  await peer.close();
});
