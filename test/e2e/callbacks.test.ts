import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMesh, type MeshProcess } from "../../src/cli/mesh-process.ts";
import {
  connectPeer,
  controller,
  newWebhookSecret,
  verifyCallback,
  type Controller,
  type Peer,
  type Task,
} from "../../src/client/index.ts";
import { present } from "../must.ts";
import { eventually } from "./processes.ts";
import { Receiver, type Received } from "./receiver.ts";

const ENDLESS = Buffer.alloc(64 * 1_024, "x");

let dir: string;
let mesh: MeshProcess;
let control: Controller;
let peer: Peer;
let receiver: Receiver;
/** Whether `/crash` answers: before the crash it keeps its callers waiting, so that nothing is acknowledged by then. */
let revived = false;

const start = () =>
  startMesh({ dir: join(dir, ".muster"), port: 0, variables: { ALLOW_LOOPBACK: "true" } });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-callbacks-"));
  receiver = await Receiver.start(({ path }, nth, response) => {
    if (path === "/flaky" && nth < 2) response.writeHead(nth === 0 ? 500 : 429).end();
    else if (path === "/gone") response.writeHead(410).end();
    else if (path === "/redirect") response.writeHead(307, { location: "/elsewhere" }).end();
    else if (path === "/endless") pour(response);
    else if (path !== "/crash" || revived) response.writeHead(204).end();
  });
  mesh = await start();
  await connect();
});

function pour(response: ServerResponse): void {
  response.writeHead(200);
  const more = (): void => {
    while (response.write(ENDLESS));
    response.once("drain", more);
  };
  more();
}

async function connect(): Promise<void> {
  control = controller({ url: mesh.url, token: mesh.adminToken });
  peer = connectPeer({
    url: mesh.url,
    meshKey: mesh.meshKey,
    slots: 8,
    handlers: { double: (payload) => Number(payload) * 2 },
  });
  await peer.ready;
}

afterAll(async () => {
  receiver.stop();
  await peer.close();
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
});

const give = (path: string, payload: number, secret?: string): Promise<Task> =>
  control.assign("double", payload, {
    callback: { url: `${receiver.url}${path}`, ...(secret !== undefined && { secret }) },
  });

async function settled(id: string, state: "delivered" | "failed" = "delivered"): Promise<Task> {
  let task = await control.task(id);
  await eventually(
    async () => {
      task = await control.task(id);
      return task.callback?.state === state;
    },
    () => JSON.stringify(task.callback),
  );
  return task;
}

const heard = (got: Received, secret: string) => verifyCallback(got, { secret });

describe("a callback to a real receiver", () => {
  test("CB4 tells of the end, signed with the token's own secret", async () => {
    const { id } = await give("/plain", 4);
    const { callback } = await settled(id);
    const [got, ...more] = receiver.at("/plain");
    expect(more).toEqual([]);
    const event = heard(present(got), await control.callbackSecret());
    expect(event).toMatchObject({ type: "task.succeeded", data: { id, result: 8 } });
    expect(callback?.attempts).toMatchObject([{ status: 204, error: null }]);
  });

  test("CB5 is signed with the secret that was given with the task", async () => {
    const secret = newWebhookSecret();
    const { id } = await give("/own", 1, secret);
    await settled(id);
    const got = present(receiver.at("/own")[0]);
    expect(heard(got, secret).data.id).toBe(id);
    const another = await control.callbackSecret();
    expect(() => heard(got, another)).toThrow(/signature_invalid/);
  });

  test("CB6 comes again until it is acknowledged, under the same ID with the same body", async () => {
    const { id } = await give("/flaky", 2);
    const { callback } = await settled(id);
    expect(callback?.attempts.map(({ status }) => status)).toEqual([500, 429, 204]);
    const got = receiver.at("/flaky");
    expect(new Set(got.map(({ body }) => body)).size).toBe(1);
    const secret = await control.callbackSecret();
    for (const each of got) expect(heard(each, secret).data.id).toBe(id);
  });

  test("CB6 is given up when the receiver is gone, and CB10 delivered again when it is asked for", async () => {
    const { id } = await give("/gone", 1);
    await settled(id, "failed");
    await control.repeatCallback(id);
    await eventually(
      () => receiver.at("/gone").length === 2,
      () => "a second delivery",
    );
  });

  test("CB7 follows no redirect", async () => {
    const { id } = await give("/redirect", 1);
    await eventually(
      async () => (await control.task(id)).callback?.attempts[0]?.status === 307,
      () => "a first attempt",
    );
    expect(receiver.at("/elsewhere")).toEqual([]);
  });

  test("CB7 reads nothing of an answer that never ends", async () => {
    const { id } = await give("/endless", 1);
    expect((await settled(id)).callback?.attempts).toMatchObject([{ status: 200 }]);
  });

  test("CB9 to receivers that do not answer keeps no other waiting", async () => {
    const silent = await Receiver.start(() => {});
    try {
      const url = `${silent.url}/silent`;
      for (let i = 0; i < 6; i++) await control.assign("double", i, { callback: { url } });
      await eventually(
        () => silent.received.length === 2,
        () => "two attempts",
      );
      const { id } = await give("/beside", 3);
      await settled(id);
      expect(silent.received).toHaveLength(2);
    } finally {
      silent.stop();
    }
  });

  test("CB4 is owed through a crash of the mesh: what was accepted is told of", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push((await give("/crash", i)).id);
    process.kill(-present(mesh.pid), "SIGKILL");
    await mesh.exited;
    await peer.close();
    await mesh.stop();
    expect(receiver.at("/crash").length).toBeLessThan(ids.length);
    revived = true;
    mesh = await start();
    await connect();
    for (const id of ids) await settled(id);
    const secret = await control.callbackSecret();
    const told = receiver.at("/crash").map((got) => heard(got, secret).data.id);
    expect(new Set(told)).toEqual(new Set(ids));
  });
});
