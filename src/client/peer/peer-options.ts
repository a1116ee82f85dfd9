import type { Millis } from "../../base/clock.ts";
import type { Protocol } from "../../protocol/http.ts";
import type { Role } from "../../protocol/messages.ts";
import type { PrivateKey } from "../own-keys.ts";
import type { OptionNames } from "../known-options.ts";
import type { Platform } from "../platform.ts";
import type { Handlers } from "../work/handler.ts";
import type { PeerEventListener } from "./peer-events.ts";

/** How a peer joins a mesh, and which tasks it runs. */
export interface PeerOptions {
  /** The mesh's base URL, such as `https://mesh.example`, or a `muster://` link, which also carries keys. */
  readonly url: string | URL;
  /** Default `muster/2`. `go-p2p/1.0` is weaker (docs/security.md); use it only for meshes without muster.2. */
  readonly protocol?: Protocol;
  /** This peer's key; default: a new key, and so a new peer, for each call. */
  readonly privateKey?: PrivateKey;
  /** A name for people; default: empty. */
  readonly name?: string;
  /** Default `worker`. The peer gets the role only if its allowlist entry permits it. */
  readonly role?: Role;
  /** Labels that a task's requirements can name. */
  readonly capabilities?: readonly string[];
  /** How many tasks run at once; default 1. */
  readonly slots?: number;
  /**
   * Accepts one task more than `slots`, to start it as soon as a slot is free. The mesh moves it to another peer if that
   * peer is free sooner. Default true.
   */
  readonly prefetch?: boolean;
  /**
   * Measures the network hops to the mesh by `traceroute`, `tracepath` or `mtr`, once after joining and then daily, where the
   * runtime may run programs and one of them exists. The mesh counts them in the peer's score. Default true.
   */
  readonly measureHops?: boolean;
  /**
   * The largest WebSocket frame that the peer takes and sends, in bytes: 8,192 to 1,048,576, the default. What is larger goes over
   * HTTP: payloads, results. Only over muster.2.
   */
  readonly maxFrame?: number;
  /** When the key was created (RFC 3339); default: now. */
  readonly createdAt?: string;
  /** The mesh's public key: a server that does not prove it is refused. Default: the first key proved is pinned. */
  readonly meshKey?: string | Uint8Array;
  /** The key that the mesh has announced as its next one (`mesh.next_public_key` of the `ready` event). */
  readonly nextMeshKey?: string | Uint8Array;
  /** Adds this peer to the mesh's allowlist. Sent only to a mesh that has proved its pinned key. */
  readonly joinKey?: string;
  /**
   * The handlers, by task kind. A task of another kind is refused. They run in the thread that also keeps the session alive
   * and renews leases: one that computes for seconds without yielding delays both, and is lost when that takes longer than
   * its lease. Such work belongs into `handlersModule`.
   */
  readonly handlers?: Handlers;
  /**
   * The URL or path of a module that exports handlers as `handlers` or as its default export. They run in threads of their
   * own, `slots` at most. A handler that blocks its thread delays nothing else; it is ended, with its thread, when its
   * attempt is cancelled or times out, after 1 s for its `signal`. The peer joins once the module is loaded. Of a kind that
   * `handlers` has, too, the handler there counts.
   */
  readonly handlersModule?: string | URL;
  /** Takes only tasks of these kinds; each must have a handler, its own or that of `*`. Default: every kind that has one. */
  readonly kinds?: readonly string[];
  readonly onEvent?: PeerEventListener;
  /** How long `tasks.wait` and `tasks.run` go on while the mesh gives no answer; see `WaitOptions`. Default 60,000. */
  readonly outageMs?: Millis;
  /** Replaces the clock, randomness, sockets or `fetch`; for tests and uncommon runtimes. */
  readonly platform?: Partial<Platform>;
}

export const PEER_OPTIONS: OptionNames<PeerOptions> = {
  url: "url!",
  protocol: "string",
  privateKey: "key",
  name: "string",
  role: "string",
  capabilities: "strings",
  slots: "number",
  prefetch: "boolean",
  measureHops: "boolean",
  maxFrame: "number",
  createdAt: "string",
  meshKey: "bytes",
  nextMeshKey: "bytes",
  joinKey: "string",
  handlers: "object",
  handlersModule: "url",
  kinds: "strings",
  onEvent: "function",
  outageMs: "number",
  platform: "object",
};

/** What a running peer can change about itself. A field that is left out keeps its value. */
export interface Announcement extends Pick<PeerOptions, "capabilities" | "slots" | "prefetch"> {
  /** The kinds that it takes from now on; each must have a handler. */
  readonly kinds?: readonly string[];
}

export const ANNOUNCEMENT: OptionNames<Announcement> = {
  capabilities: "strings",
  kinds: "strings",
  slots: "number",
  prefetch: "boolean",
};
