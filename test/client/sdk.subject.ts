import {
  connectPeer,
  controller,
  type MeshClient,
  type Peer,
  type PeerEvent,
  type PeerOptions,
  type SocketLike,
} from "../../src/client/index.ts";

type Protocol = NonNullable<PeerOptions["protocol"]>;

/** The real mesh that the suite runs against. */
export interface MeshUnderTest {
  readonly url: string;
  readonly token: string;
  readonly meshKey: string;
  /** The protocol by which the peers join. */
  readonly protocol: Protocol;
}

/** How long a case waits for an expected event before it fails. */
const TIMEOUT_MS = 90_000;
const POLL_INTERVAL_MS = 25;

/** vitest does not run on every runtime, so the suite has its own two assertions. */
export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`expected: ${what}`);
}

export function assertEqual(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  assert(a === b, `${a} is ${b}`);
}

export async function withTimeout<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`timeout: ${what}`)), TIMEOUT_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The `code` of the error that a promise rejects with. */
export async function errorCodeOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await withTimeout(
    promise.then(
      () => "no error",
      (error: unknown) => (error instanceof Error && "code" in error ? error.code : String(error)),
    ),
    "an error",
  );
  return String(outcome);
}

/** Polls until `find` returns a value. */
export async function pollUntil<T>(
  what: string,
  find: () => Promise<T | null> | T | null,
): Promise<T> {
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    const found = await find();
    if (found !== null) return found;
    assert(Date.now() < until, what);
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/** A peer under test, with its events and its sockets. */
export class Subject {
  readonly peer: Peer;
  readonly events: PeerEvent[] = [];
  readonly #sockets: SocketLike[] = [];

  constructor(mesh: MeshUnderTest, options: Partial<PeerOptions> = {}) {
    this.peer = connectPeer({
      url: mesh.url,
      meshKey: mesh.meshKey,
      protocol: mesh.protocol,
      ...options,
      onEvent: (event) => this.events.push(event),
      platform: { openSocket: (url, subprotocol) => this.#open(url, subprotocol), random: () => 0 },
    });
  }

  /** Waits for the first `count` events of a type. */
  eventsOf<T extends PeerEvent["type"]>(
    type: T,
    count = 1,
  ): Promise<readonly Extract<PeerEvent, { type: T }>[]> {
    return pollUntil<readonly Extract<PeerEvent, { type: T }>[]>(
      `${count} times ${type}, in ${this.#eventTypes}`,
      () => {
        const found = this.events.filter((event) => event.type === type);
        return found.length < count ? null : (found as never);
      },
    );
  }

  /** Closes the newest socket, as a network failure would. */
  dropSocket(): void {
    this.#sockets.at(-1)?.close();
  }

  get #eventTypes(): string {
    return this.events.map(({ type }) => type).join(", ");
  }

  #open(url: string, subprotocol: string | undefined): SocketLike {
    const socket: SocketLike = new WebSocket(url, subprotocol);
    this.#sockets.push(socket);
    return socket;
  }
}

/** A controller of the mesh. */
export const controllerOf = ({ url, token, meshKey }: MeshUnderTest): MeshClient =>
  controller({ url, token, meshKey });

type Body = (subject: Subject, control: MeshClient, mesh: MeshUnderTest) => Promise<void>;

/** A case with a peer that has joined; the peer is closed afterwards. */
export const withPeer =
  (options: Partial<PeerOptions>, body: Body) =>
  async (mesh: MeshUnderTest): Promise<void> => {
    const subject = new Subject(mesh, options);
    try {
      await withTimeout(subject.peer.ready, "the welcome");
      await body(subject, controllerOf(mesh), mesh);
    } finally {
      await subject.peer.close();
    }
  };
