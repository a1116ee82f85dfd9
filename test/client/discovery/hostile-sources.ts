import { Hono } from "hono";
import type { Fetch } from "../../../src/client/http/api.ts";
import { Replica } from "../../../src/discovery/replica.ts";
import { verifierOf } from "../../../src/discovery/signed-statements.ts";
import { platformVerify } from "../../../src/crypto/ed25519.ts";
import { PointerList, PointerView } from "../../../src/protocol/http.ts";
import { replicaRoutes } from "../../../workers/replica-routes.ts";
import { present } from "../../must.ts";
import type { ReplicatedMesh } from "../../discovery/replicated-mesh.ts";

/** What a source does with a request: `honest` answers it as it should be. `older` is a list that the mesh signed before. */
type Behavior = (
  path: string,
  honest: () => Promise<Response>,
  older: PointerList,
) => Promise<Response> | Response;

const problem = (status: number, code: string) =>
  Response.json(
    { type: "about:blank", title: "t", status, code, detail: "the detail" },
    { status, headers: { "content-type": "application/problem+json" } },
  );
const isList = (path: string): boolean => path === "/v1/pointers";
const isBlob = (path: string): boolean => path.startsWith("/v1/blobs/");
const onBlobs =
  (answer: () => Response): Behavior =>
  (path, honest) =>
    isBlob(path) ? answer() : honest();
const onLists =
  (change: (list: PointerList, older: PointerList) => object): Behavior =>
  async (path, honest, older) =>
    isList(path)
      ? Response.json(change(PointerList.parse(await (await honest()).json()), older))
      : honest();

const brokenOff = () =>
  new Response(
    new ReadableStream({
      start(stream) {
        stream.enqueue(new Uint8Array([0x7b]));
        stream.error(new TypeError("terminated"));
      },
    }),
  );

/** How many pages were made up. */
let pages = 0;

/** Sources that withhold something, each in its own way: alone, none of them may look like a complete answer. */
export const HOSTILE: Readonly<Record<string, Behavior>> = {
  "refuses connections": () => {
    throw new TypeError("fetch failed");
  },
  "answers too late": () => {
    throw new DOMException("The operation timed out.", "TimeoutError");
  },
  "answers 500": () => problem(500, "internal"),
  "answers 503": () => problem(503, "unavailable"),
  "answers with a page of another server": () => new Response("<html>"),
  "breaks off each answer": brokenOff,
  "refuses the token": () => problem(401, "unauthorized"),
  "says that nothing exists": () => problem(404, "not_found"),
  "lists nothing": onLists((list) => ({ ...list, pointers: [] })),
  "lists nothing, and no totals": onLists((list) => ({ ...list, pointers: [], totals: undefined })),
  "lists nothing, with older totals": onLists((list, { totals }) => ({
    ...list,
    pointers: [],
    totals,
  })),
  "hides one pointer": onLists((list) => ({ ...list, pointers: list.pointers.slice(1) })),
  "alters a pointer": onLists((list) => ({
    ...list,
    pointers: list.pointers.map((pointer) => ({ ...pointer, blob_id: "0".repeat(32) })),
  })),
  "alters the totals": onLists((list) => ({
    ...list,
    pointers: [],
    totals: list.totals && { ...list.totals, epochs: [] },
  })),
  "repeats its first page for ever": onLists((list) => ({
    ...list,
    next_cursor: list.pointers.at(-1)?.id ?? "0".repeat(32),
  })),
  "repeats a page under ever new cursors": onLists((list) => ({
    ...list,
    next_cursor: (++pages).toString(16).padStart(32, "f"),
  })),
  "lists nothing, in ever new pages": onLists((list) => ({
    ...list,
    pointers: [],
    next_cursor: (++pages).toString(16).padStart(32, "0"),
  })),
  "has changes without an end": onLists((list) => ({
    ...list,
    pointers: [],
    since: String(++pages),
    next_cursor: String(pages),
  })),
  "has no records": onBlobs(() => problem(404, "not_found")),
  "can't read its records": onBlobs(() => problem(503, "unavailable")),
  "fails at records": onBlobs(() => problem(500, "internal")),
  "has other bytes as records": onBlobs(() => new Response(new Uint8Array(100))),
  "breaks off records": onBlobs(brokenOff),
  "has records of unlimited size": onBlobs(() => new Response(new Uint8Array(1_000_000))),
};

const onPointers =
  (answer: (asked: PointerView, others: readonly PointerView[]) => object): Behavior =>
  async (path, honest, { pointers }) => {
    const id = /^\/v1\/pointers\/(\w+)$/.exec(path)?.[1];
    if (id === undefined) return honest();
    const asked = PointerView.parse(await (await honest()).json());
    return Response.json(
      answer(
        asked,
        pointers.filter((each) => each.id !== id),
      ),
    );
  };

/** Sources whose lists are right, and that answer falsely when they are asked for one pointer. */
export const FALSE_POINTERS: Readonly<Record<string, Behavior>> = {
  "alters the pointer": onPointers((asked) => ({ ...asked, blob_id: "0".repeat(32) })),
  "extends the pointer's life": onPointers((asked) => ({
    ...asked,
    expires_at: "2099-01-01T00:00:00.000Z",
  })),
  "answers with the pointer of another peer": onPointers((_, [other]) => present(other)),
  "gives the pointer of another peer the ID": onPointers(({ id }, [other]) => ({ ...other, id })),
  "answers with something else": onPointers(() => ({ hello: 1 })),
};

/** A source that answers as it should. */
export const HONEST: Behavior = (_, honest) => honest();

/** A server of one mesh's discovery at each URL `https://0.test`, `https://1.test`, …, that behaves as its place in the list says. */
export async function sourcesOf(
  scene: ReplicatedMesh,
  behaviors: () => readonly Behavior[],
  older: PointerList,
): Promise<{ readonly fetch: Fetch; readonly asked: string[] }> {
  const replica = new Replica({
    store: scene.replicaStore,
    verifier: verifierOf(scene.mesh.config.discovery.verifyingKey, await platformVerify()),
    // Each request reads the store: the clock of the snapshot is ahead by more than it is fresh for.
    now: (
      (ahead) => () =>
        scene.mesh.now + (ahead += 3_000)
    )(0),
    isPublic: true,
  });
  const app = new Hono();
  replicaRoutes(app, async () => replica);
  const asked: string[] = [];
  const fetch: Fetch = async (url, init) => {
    const { hostname, pathname, search } = new URL(url);
    asked.push(hostname + pathname);
    const behavior = behaviors()[Number(hostname.split(".")[0])] ?? HONEST;
    return behavior(pathname, async () => app.request(pathname + search, init), older);
  };
  return { fetch, asked };
}

export const urlsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `https://${index}.test`);
