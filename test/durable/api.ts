import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import type { z } from "zod";
import type { PeerSession } from "../../durable/peer-session.ts";
import type { PeerView, PointerView, TaskView } from "../../src/protocol/http.ts";
import type { Session } from "../../src/session/state.ts";

export const TOKEN = "test-admin-token-0123456789abcdef";

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** Calls the HTTP API as the operator. */
export async function api<T = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const response = await exports.default.fetch(`http://mesh.test${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === "" ? null : JSON.parse(text)) as T,
  };
}

export const peerView = async (id: string): Promise<PeerView> =>
  (await api<PeerView>("GET", `/v1/peers/${id}`)).body;

export const submitTask = async (
  kind: string,
  payload: unknown,
  more: object = {},
): Promise<TaskView> => (await api<TaskView>("POST", "/v1/tasks", { kind, payload, ...more })).body;

export const awaitTaskEnd = async (id: string): Promise<TaskView> =>
  (await api<TaskView>("GET", `/v1/tasks/${id}?wait=10`)).body;

/** Polls until the condition holds: the peer is not notified of what happens after its socket closes. */
export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const value = await read();
    if (holds(value)) return value;
    if (tries === 1_000) throw new Error(`never came true; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export const coordinatorStub = () => env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));

/** The rows of a query of the coordinator's database. */
export const rows = (query: string, ...bindings: string[]): Promise<Record<string, unknown>[]> =>
  runInDurableObject(coordinatorStub(), (_, { storage }) =>
    storage.sql.exec(query, ...bindings).toArray(),
  );

/** The object that holds a peer's current session, by the ID in the registry. */
export async function sessionStub(peerId: string) {
  const [peer] = await rows("SELECT session FROM peers WHERE id = ?", peerId);
  return env.PEER_SESSION.get(env.PEER_SESSION.idFromString(String(peer?.["session"])));
}

/** A new object for a session, for tests that inspect it before a peer is admitted. */
export const newSessionStub = () => env.PEER_SESSION.get(env.PEER_SESSION.newUniqueId());

/** The sessions in the attachments of an object's sockets. */
export const attachments = (object: DurableObjectStub<PeerSession>): Promise<Session[]> =>
  runInDurableObject(object, (_, state) =>
    state.getWebSockets().map((socket) => socket.deserializeAttachment() as Session),
  );

export const pointers = async () =>
  (await api<{ pointers: z.infer<typeof PointerView>[] }>("GET", "/v1/pointers")).body.pointers;
