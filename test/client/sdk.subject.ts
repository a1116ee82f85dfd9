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
  /** By which protocol the peers join. */
  readonly protocol: Protocol;
}

/** How long a case may wait for what must come; what never comes fails it. */
const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 25;

/** `vitest` is not there on every runtime: the suite brings its own two ways to insist. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`not so: ${what}`);
}

export function same(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  check(a === b, `${a} is ${b}`);
}

export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`never came: ${what}`)), PATIENCE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The `code` of the error that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await inTime(
    promise.then(
      () => "no error",
      (error: unknown) => (error instanceof Error && "code" in error ? error.code : String(error)),
    ),
    "an error",
  );
  return String(outcome);
}

/** Looks until `find` finds something. */
export async function eventually<T>(
  what: string,
  find: () => Promise<T | null> | T | null,
): Promise<T> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await find();
    if (found !== null) return found;
    check(Date.now() < until, what);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** A peer under test, what happened to it, and a hand on its sockets. */
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

  /** The first `count` events of a type, once they have happened. */
  seen<T extends PeerEvent["type"]>(
    type: T,
    count = 1,
  ): Promise<readonly Extract<PeerEvent, { type: T }>[]> {
    return eventually<readonly Extract<PeerEvent, { type: T }>[]>(
      `${count} times ${type}, in ${this.#story}`,
      () => {
        const found = this.events.filter((event) => event.type === type);
        return found.length < count ? null : (found as never);
      },
    );
  }

  /** The network fails. */
  dropSocket(): void {
    this.#sockets.at(-1)?.close();
  }

  get #story(): string {
    return this.events.map(({ type }) => type).join(", ");
  }

  #open(url: string, subprotocol: string | undefined): SocketLike {
    const socket: SocketLike = new WebSocket(url, subprotocol);
    this.#sockets.push(socket);
    return socket;
  }
}

type Body = (subject: Subject, control: MeshClient, mesh: MeshUnderTest) => Promise<void>;

/** A case with a peer that has joined; the peer is closed afterwards. */
export const withPeer =
  (options: Partial<PeerOptions>, body: Body) =>
  async (mesh: MeshUnderTest): Promise<void> => {
    const subject = new Subject(mesh, options);
    try {
      await inTime(subject.peer.ready, "the welcome");
      await body(subject, controller(mesh), mesh);
    } finally {
      await subject.peer.close();
    }
  };
