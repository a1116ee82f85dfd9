import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import {
  connectPeer,
  controller,
  newWebhookSecret,
  verifyCallback,
  type MeshClient,
  type Peer,
  type Task,
} from "../../src/client/index.ts";
import { present } from "../must.ts";
import { eventually } from "./processes.ts";
import { Receiver, type ReceivedRequest } from "./receiver.ts";

const ENDLESS = Buffer.alloc(64 * 1_024, "x");

let dir: string;
let mesh: MeshProcess;
let control: MeshClient;
let peer: Peer;
let receiver: Receiver;
/** Whether `/crash` answers. It does not before the crash, so that no callback is acknowledged by then. */
let isRestarted = false;

const start = () =>
  startMesh({ dir: join(dir, ".muster"), port: 0, variables: { ALLOW_LOOPBACK: "true" } });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-callbacks-"));
  receiver = await Receiver.start(({ path }, nth, response) => {
    if (path === "/flaky" && nth < 2) response.writeHead(nth === 0 ? 500 : 429).end();
    else if (path === "/gone") response.writeHead(410).end();
    else if (path === "/redirect") response.writeHead(307, { location: "/elsewhere" }).end();
    else if (path === "/endless") writeEndlessly(response);
    else if (path !== "/crash" || isRestarted) response.writeHead(204).end();
  });
  mesh = await start();
  await connect();
});

function writeEndlessly(response: ServerResponse): void {
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

const assignWithCallback = (path: string, payload: number, secret?: string): Promise<Task> =>
  control.tasks.submit("double", payload, {
    callback: { url: `${receiver.url}${path}`, ...(secret !== undefined && { secret }) },
  });

async function waitForCallback(
  id: string,
  state: "delivered" | "failed" = "delivered",
): Promise<Task> {
  let task = await control.tasks.get(id);
  await eventually(
    async () => {
      task = await control.tasks.get(id);
      return task.callback?.state === state;
    },
    () => JSON.stringify(task.callback),
  );
  return task;
}

const secretOf = async (): Promise<string> => (await control.callbacks.secret(receiver.url)).secret;

const verified = (got: ReceivedRequest, secret: string) => verifyCallback(got, { secret });

describe("callbacks to a real HTTP receiver", () => {
  test("CB4 a callback reports the end of the task, signed with the secret of the token", async () => {
    const { id } = await assignWithCallback("/plain", 4);
    const { callback } = await waitForCallback(id);
    const [got, ...more] = receiver.at("/plain");
    expect(more).toEqual([]);
    const event = verified(present(got), await secretOf());
    expect(event).toMatchObject({ type: "task.succeeded", data: { id, result: 8 } });
    expect(callback?.attempts).toMatchObject([{ status: 204, error: null }]);
  });

  test("CB5 a callback is signed with the secret that was submitted with the task", async () => {
    const secret = newWebhookSecret();
    const { id } = await assignWithCallback("/own", 1, secret);
    await waitForCallback(id);
    const got = present(receiver.at("/own")[0]);
    expect(verified(got, secret).data.id).toBe(id);
    const another = await secretOf();
    expect(() => verified(got, another)).toThrow(/signature_invalid/);
  });

  test("CB31 a receiver that has only the old secret, or only the new one, verifies until the overlap ends", async () => {
    const before = await secretOf();
    const { secret, previous } = await control.callbacks.rotateSecret(`${receiver.url}/rotated`);
    expect(previous?.secret).toBe(before);
    await waitForCallback((await assignWithCallback("/rotated", 1)).id);
    const both = present(receiver.at("/rotated")[0]);
    expect(verified(both, before)).toEqual(verified(both, secret));
    await control.callbacks.endPreviousSecret(receiver.url);
    await waitForCallback((await assignWithCallback("/rotated", 2)).id);
    const one = present(receiver.at("/rotated")[1]);
    expect(verified(one, secret).data.result).toBe(4);
    expect(() => verified(one, before)).toThrow(/signature_invalid/);
  });

  test("CB6 a callback is repeated with the same ID and body until the receiver acknowledges it", async () => {
    const { id } = await assignWithCallback("/flaky", 2);
    const { callback } = await waitForCallback(id);
    expect(callback?.attempts.map(({ status }) => status)).toEqual([500, 429, 204]);
    const got = receiver.at("/flaky");
    expect(new Set(got.map(({ body }) => body)).size).toBe(1);
    const secret = await secretOf();
    for (const each of got) expect(verified(each, secret).data.id).toBe(id);
  });

  test("CB6 a callback fails when the receiver answers 410, and CB10 is sent again on request", async () => {
    const { id } = await assignWithCallback("/gone", 1);
    await waitForCallback(id, "failed");
    await control.tasks.repeatCallback(id);
    await eventually(
      () => receiver.at("/gone").length === 2,
      () => "a second delivery",
    );
  });

  test("CB7 a callback does not follow a redirect", async () => {
    const { id } = await assignWithCallback("/redirect", 1);
    await eventually(
      async () => (await control.tasks.get(id)).callback?.attempts[0]?.status === 307,
      () => "a first attempt",
    );
    expect(receiver.at("/elsewhere")).toEqual([]);
  });

  test("CB7 a callback does not read the body of the answer, which may be endless", async () => {
    const { id } = await assignWithCallback("/endless", 1);
    expect((await waitForCallback(id)).callback?.attempts).toMatchObject([{ status: 200 }]);
  });

  test("CB9 two receivers that accept 60 callbacks each and do not answer delay none of 30 to another", async () => {
    let ended = 0;
    const dead = await Promise.all(
      [0, 1].map(() =>
        Receiver.start((_got, _nth, response) => void response.once("close", () => (ended += 1))),
      ),
    );
    const endedBefore: number[] = [];
    const healthy = await Receiver.start((_got, _nth, response) => {
      endedBefore.push(ended);
      response.writeHead(204).end();
    });
    const give = (url: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          control.tasks.submit("waits", null, { callback: { url } }),
        ),
      );
    try {
      for (const { url } of dead) await give(url, 60);
      await give(healthy.url, 30);
      await control.tasks.cancelMany({ kind: "waits" });
      await eventually(
        () => endedBefore.length === 30,
        () => "30 callbacks",
      );
      expect(endedBefore).toEqual(endedBefore.map(() => 0));
      expect(dead.map(({ received }) => received.length)).toEqual([1, 1]);
    } finally {
      for (const each of [...dead, healthy]) each.stop();
    }
  });

  test("CB4 the callback of an accepted task is sent even if the mesh crashes in between", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push((await assignWithCallback("/crash", i)).id);
    process.kill(-present(mesh.pid), "SIGKILL");
    await mesh.exited;
    await peer.close();
    await mesh.stop();
    expect(receiver.at("/crash").length).toBeLessThan(ids.length);
    isRestarted = true;
    mesh = await start();
    await connect();
    for (const id of ids) await waitForCallback(id);
    const secret = await secretOf();
    const reported = receiver.at("/crash").map((got) => verified(got, secret).data.id);
    expect(new Set(reported)).toEqual(new Set(ids));
  });
});
