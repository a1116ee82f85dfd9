/** Every method of the SDK, and how a test gives it options. The compiler and `known-options.test.ts` say which are missing. */
import * as sdk from "../../src/client/index.ts";
import { SessionTasks } from "../../src/client/peer/session-tasks.ts";
import { FRAME_BYTES_MAX } from "../../src/protocol/constants.ts";

/** Calls a method with these options. */
type Call = (options: object) => unknown;

/** Why the SDK does not check an object. */
type Unchecked = "the mesh checks it" | "data of the mesh" | "it may have other fields";

type IsObject<P> = unknown extends P
  ? false
  : [NonNullable<P>] extends [object]
    ? [NonNullable<P>] extends [(...parameters: never[]) => unknown]
      ? false
      : true
    : false;
type HasObject<Parameters> = Parameters extends readonly [infer First, ...infer Rest]
  ? IsObject<First> extends true
    ? true
    : HasObject<Rest>
  : false;
type Entrance<F> = F extends (...parameters: infer P) => unknown
  ? HasObject<Required<P>> extends true
    ? readonly Call[] | Unchecked
    : null
  : null;

/** The methods of a client. Null is for those without a parameter that is an object. */
type Methods<C> = {
  readonly [
    Name in keyof C as Name extends string
      ? C[Name] extends (...parameters: never[]) => unknown
        ? Name
        : never
      : never
  ]-?: Entrance<C[Name]>;
};
type SubClients = {
  readonly [
    Name in keyof sdk.MeshClient as sdk.MeshClient[Name] extends (...a: never[]) => unknown
      ? never
      : Name
  ]: Methods<sdk.MeshClient[Name]>;
};

export const requests = { count: 0 };
const fetch = (): Promise<Response> => {
  requests.count++;
  return Promise.reject(new Error("no request is expected"));
};
const url = "https://mesh.example";
const keys = { signing_key: "", epochs: [] };
const given = { url, keys, fetch };

export const mesh = sdk.controller({ url, fetch });
const reader = mesh.discovery.withReplicas();
const session = new SessionTasks({ url, fetch, outageMs: 0, maxFrame: FRAME_BYTES_MAX });

/** A peer whose socket never opens; the caller closes it. */
export const peer = sdk.connectPeer({
  url,
  platform: {
    fetch,
    openSocket: () => ({
      binaryType: "",
      readyState: 0,
      addEventListener: () => {},
      send: () => {},
      close: () => {},
    }),
  },
});

/** A generator does nothing until its first item is asked for. */
const first = (items: AsyncGenerator): Promise<unknown> => items.next();

export const SUB_CLIENTS: SubClients = {
  tasks: {
    submit: [(options) => mesh.tasks.submit("a", null, options)],
    submitBatch: [(options) => mesh.tasks.submitBatch([], options)],
    list: [(options) => mesh.tasks.list(options)],
    get: null,
    cancel: null,
    retry: [(options) => mesh.tasks.retry("a", options)],
    cancelMany: [
      (options) => mesh.tasks.cancelMany(options),
      (options) => mesh.tasks.cancelMany(["a"], options),
    ],
    retryMany: [
      (options) => mesh.tasks.retryMany(options),
      (options) => mesh.tasks.retryMany(["a"], options),
    ],
    failures: [(options) => mesh.tasks.failures(options)],
    stats: null,
    wait: [(options) => mesh.tasks.wait("a", options)],
    follow: [(options) => first(mesh.tasks.follow("a", options))],
    run: [(options) => mesh.tasks.run("a", null, options)],
    result: null,
    resultText: null,
    resultOf: "data of the mesh",
    resultTextOf: "data of the mesh",
    why: null,
    trace: null,
    repeatCallback: null,
  },
  peers: {
    list: [(options) => mesh.peers.list(options)],
    get: null,
    score: null,
    rtt: null,
    request: [(options) => mesh.peers.request("a", "get_stats", null, options)],
    revoke: [(options) => mesh.peers.revoke("a", options)],
    resetCircuits: null,
    cordon: null,
    uncordon: null,
    drain: [(options) => mesh.peers.drain("a", options)],
    // The mesh checks what selects the peers.
    schedule: [(options) => mesh.peers.schedule("cordon", { ids: ["a"] }, options)],
    forget: null,
  },
  dials: { list: null, put: [(options) => mesh.dials.put("ws://a", options)], remove: null },
  allowlist: { list: null, put: [(options) => mesh.allowlist.put("a", options)], remove: null },
  denylist: { list: [(options) => mesh.denylist.list(options)], remove: null },
  tokens: {
    list: [(options) => mesh.tokens.list(options)],
    create: [(options) => mesh.tokens.create("viewer", "a", options)],
    update: [(options) => mesh.tokens.update("a", options)],
    revoke: [(options) => mesh.tokens.revoke("a", options)],
  },
  joinKeys: {
    list: null,
    create: [(options) => mesh.joinKeys.create(options)],
    revoke: null,
  },
  webhooks: {
    list: null,
    get: null,
    put: "the mesh checks it",
    remove: [(options) => mesh.webhooks.remove("a", options)],
    test: "the mesh checks it",
    deliveries: [(options) => mesh.webhooks.deliveries("a", options)],
    refused: null,
    replay: [(options) => mesh.webhooks.replay("a", "b", options)],
  },
  discovery: {
    keys: null,
    find: null,
    resolve: "data of the mesh",
    peers: [(options) => mesh.discovery.peers(options), (options) => reader.peers(options)],
    discover: [
      (options) => mesh.discovery.discover(options),
      (options) => reader.discover(options),
    ],
    withReplicas: [(options) => mesh.discovery.withReplicas([], options)],
    pointers: null,
    pointer: null,
    blob: null,
  },
  audit: { list: [(options) => mesh.audit.list(options)] },
  settings: {
    mesh: null,
    storage: null,
    metrics: [(options) => mesh.settings.metrics(options)],
    drain: [(options) => mesh.settings.drain(options)],
    exportMesh: [(options) => mesh.settings.exportMesh(options)],
    beginImport: "the mesh checks it",
    putImportPart: "data of the mesh",
    commitImport: null,
    endImport: null,
    authMode: null,
    setAuthMode: null,
  },
  kinds: {
    list: null,
    get: null,
    load: null,
    put: [
      (options) => mesh.kinds.put("a", options),
      (options) => mesh.kinds.put("a", { rate: { perSecond: 1, ...options } }),
    ],
    remove: null,
  },
  callbacks: {
    secret: [(options) => mesh.callbacks.secret(url, options)],
    rotateSecret: [(options) => mesh.callbacks.rotateSecret(url, options)],
    endPreviousSecret: [(options) => mesh.callbacks.endPreviousSecret(url, options)],
  },
};

export const READER: Methods<sdk.DiscoveryReader> = {
  find: null,
  resolve: "data of the mesh",
  peers: [(options) => reader.peers(options)],
  discover: [(options) => reader.discover(options)],
};

export const PEER: Methods<sdk.Peer> = {
  rotate: null,
  advertise: [(options) => peer.advertise([{ publicKey: "00".repeat(32), ...options }])],
  reportRtts: [(options) => peer.reportRtts([{ peerId: "0".repeat(32), rttMs: 1, ...options }])],
  announce: [(options) => peer.announce(options)],
  drain: [(options) => peer.drain(options)],
  close: null,
};

export const PEER_TASKS: Methods<sdk.PeerTasks> = {
  submit: [(options) => session.submit("a", null, options)],
  wait: [(options) => session.wait("a", options)],
  run: [(options) => session.run("a", null, options)],
  result: null,
  resultText: null,
  get: null,
  cancel: null,
  retry: [(options) => session.retry("a", options)],
};

const delivery = { headers: {}, body: "" };
const secret = sdk.newWebhookSecret();

type Functions = {
  readonly [
    Name in keyof typeof sdk as (typeof sdk)[Name] extends (...parameters: never[]) => unknown
      ? Name
      : never
  ]: Entrance<(typeof sdk)[Name]>;
};
/** What the package exports as a function. */
export const FUNCTIONS: Functions = {
  connectPeer: [(options) => sdk.connectPeer({ url, ...options })],
  controller: [(options) => sdk.controller({ url, ...options })],
  hasEnded: "data of the mesh",
  degradedText: "data of the mesh",
  discover: [(options) => sdk.discover({ ...given, ...options })],
  deliver: [(options) => sdk.deliver(null, { url, source: "a", secret, fetch, ...options })],
  newWebhookSecret: null,
  signDelivery: [(options) => sdk.signDelivery(secret, { id: "a", at: 0, body: "", ...options })],
  verifyCallback: [(options) => sdk.verifyCallback(delivery, { secret, ...options })],
  generateIdentity: null,
  identityFrom: null,
  readMeshLink: null,
  // The runtime's `Worker` has more options, and gets them.
  nodeThreads: "it may have other fields",
  webThreads: null,
};

/** The classes of the package whose constructors a caller uses. */
export const CLASSES: Readonly<Record<string, readonly Call[]>> = {
  MeshClient: [(options) => new sdk.MeshClient({ url, ...options })],
  DiscoveryReader: [(options) => new sdk.DiscoveryReader({ ...given, ...options })],
};
