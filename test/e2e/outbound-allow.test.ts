import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import { connectPeer, controller, type MeshClient, type Peer } from "../../src/client/index.ts";
import { eventually } from "./processes.ts";
import { Receiver } from "./receiver.ts";

let dir: string;
let mesh: MeshProcess;
let control: MeshClient;
let peer: Peer;
/** Of two receivers on 127.0.0.1 the list has one. */
let allowed: Receiver;
let other: Receiver;

const portOf = ({ url }: Receiver): string => new URL(url).port;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-allow-"));
  const accept = () => Receiver.start((_got, _nth, response) => response.writeHead(204).end());
  [allowed, other] = [await accept(), await accept()];
  mesh = await startMesh({
    dir: join(dir, ".muster"),
    port: 0,
    variables: {
      OUTBOUND_ALLOW: `127.0.0.1:${portOf(allowed)}, hooks.internal:${portOf(allowed)}`,
    },
    // Every name leads to this machine.
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
  });
  control = controller({ url: mesh.url, token: mesh.adminToken });
  peer = connectPeer({ url: mesh.url, meshKey: mesh.meshKey, handlers: { echo: (it) => it } });
  await peer.ready;
});
afterAll(async () => {
  allowed.stop();
  other.stop();
  await peer.close();
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The first attempt of a callback to the URL. */
async function firstAttempt(url: string) {
  const { id } = await control.tasks.submit("echo", 1, { callback: { url } });
  const ended = async () =>
    (await control.tasks.get(id)).callback?.attempts.find(({ ended_at: at }) => at !== null);
  await eventually(
    async () => (await ended()) !== undefined,
    () => `an attempt to call ${url}`,
  );
  return ended();
}

test.for(["127.0.0.1", "0x7f.1", "hooks.internal", "HOOKS.internal."])(
  "SV27 a callback reaches the receiver that OUTBOUND_ALLOW lists: %s",
  async (host) => {
    const path = `/${encodeURIComponent(host)}`;
    const attempt = await firstAttempt(`http://${host}:${portOf(allowed)}${path}`);
    expect(attempt).toMatchObject({ status: 204, error: null });
    expect(allowed.at(path)).toHaveLength(1);
  },
);

test.for(["127.0.0.1", "hooks.internal", "localhost", "[::1]"])(
  "SV27 a callback to a receiver that is not listed is refused: %s",
  async (host) => {
    const url = `http://${host}:${portOf(other)}/`;
    await expect(control.tasks.submit("echo", 1, { callback: { url } })).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(other.at("/")).toEqual([]);
  },
);

test("SV28 a public name that leads to the listed receiver is not called", async () => {
  const attempt = await firstAttempt(`http://attacker.example.com:${portOf(allowed)}/attack`);
  expect(attempt).toMatchObject({
    status: null,
    error: "not sent: the host name resolves to an address that is not public",
  });
  expect(allowed.at("/attack")).toEqual([]);
});

test("SV27 a peer at a listed address is dialed", async () => {
  const { id } = await control.dials.put(`ws://127.0.0.1:${portOf(allowed)}/dialed`);
  const dial = async () => (await control.dials.list().toArray()).find((each) => each.id === id);
  await eventually(
    async () => typeof (await dial())?.last_error === "string",
    () => "an attempt to dial",
  );
  // The receiver speaks no WebSocket, but was asked.
  expect((await dial())?.last_error).toBe("the address does not accept a WebSocket: HTTP 204");
  expect(allowed.at("/dialed")).toHaveLength(1);
  await control.dials.remove(id);
});

test("SV27 a list that can't be read ends the start with one line that does not repeat it", async () => {
  const start = startMesh({
    dir: join(dir, ".other"),
    port: 0,
    variables: { OUTBOUND_ALLOW: "10.0.0.5, *.internal" },
  });
  await expect(start).rejects.toThrow("OUTBOUND_ALLOW has as entry 2 a wildcard: list each name");
});
