import { redact } from "../../base/redact.ts";
import { toHex } from "../../base/bytes.ts";
import { SECOND, type Millis } from "../../base/clock.ts";
import type { KeyPair } from "../../crypto/identity.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import { FRAME_BYTES_MAX, TASK_RESULT_BYTES_MAX } from "../../protocol/constants.ts";
import type { PeerProfile } from "../connection/connection.ts";
import { resultBytesIn } from "../connection/frame-bytes.ts";
import { goP2pIdentity } from "../connection/go-p2p-handshake.ts";
import { PeerError } from "../errors.ts";
import { generateIdentity, identityFrom, type PrivateKey } from "../own-keys.ts";
import { RouteReporter } from "../route/route-reporter.ts";
import type { ThreadPool } from "../threads/thread-pool.ts";
import { GoP2pRequests, goP2pStats, requestHandlers } from "../work/go-p2p-requests.ts";
import type { Handlers } from "../work/handler.ts";
import { messageOf } from "../work/thrown.ts";
import { TaskRunner } from "../work/task-runner.ts";
import { advertPayload, type KnownPeer } from "./advert.ts";
import { announcedChanges } from "./announced-changes.ts";
import { kindsOf } from "./announced-kinds.ts";
import { messageDispatcher, type MessageHandlers } from "./inbound-messages.ts";
import { drainOf, PeerDrain } from "./peer-drain.ts";
import { KeyRotation } from "./key-rotation.ts";
import { LimitedMessages } from "./limited-messages.ts";
import type { MeshPeerOptions } from "./mesh-peer-options.ts";
import { notify, type JoinedMesh, type PeerEvent } from "./peer-events.ts";
import type { DrainPeerOptions, Peer, PeerState } from "./peer-handle.ts";
import type { Announcement } from "./peer-options.ts";
import { LoopMonitor } from "./loop-monitor.ts";
import { rttsPayload, type MeasuredRtt } from "./rtt-report.ts";
import { SessionLoop, type SessionLoopListener } from "./session-loop.ts";
import { SessionTasks } from "./session-tasks.ts";

/** A peer: connects the session loop with the tasks, the requests and the key rotation of the peer. */
export class MeshPeer implements Peer {
  readonly tasks: SessionTasks;
  readonly #options: MeshPeerOptions;
  #handlers: Handlers;
  #profile: PeerProfile;
  readonly #startedAt: Millis;
  readonly #ready = Promise.withResolvers<JoinedMesh>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #runner: TaskRunner;
  readonly #requests: GoP2pRequests;
  readonly #rotation = new KeyRotation();
  readonly #loopMonitor: LoopMonitor;
  readonly #limited: LimitedMessages;
  readonly #drain: PeerDrain;
  readonly #dispatch: (envelope: Envelope) => void;
  #discoveryKeys: DiscoveryKeys | null = null;
  readonly #routes: RouteReporter;
  readonly #loop: SessionLoop;

  constructor(options: MeshPeerOptions) {
    const { destination, handlers, platform, profile } = options;
    const { url } = destination;
    this.#options = options;
    this.#handlers = handlers;
    this.#profile = profile;
    this.#startedAt = platform.now();
    const { maxFrame = FRAME_BYTES_MAX } = profile;
    const inlineBytesMax = Math.min(TASK_RESULT_BYTES_MAX, resultBytesIn(maxFrame));
    this.#runner = new TaskRunner({
      handlers,
      slots: profile.slots,
      prefetch: profile.prefetch,
      now: platform.now,
      random: platform.random,
      inlineBytesMax,
      // Few payloads and results are too large for a message.
      download: async (download) =>
        (await import("../work/fetch-payload.ts")).fetchPayload(url, platform.fetch, download),
      upload: async (upload) =>
        (await import("../work/upload-result.ts")).uploadResult(url, platform.fetch, upload),
      emit: (event) => this.#emit(event),
    });
    this.#loopMonitor = new LoopMonitor(
      () => performance.now(),
      (blockedMs) => this.#emit({ type: "loop_blocked", blockedMs }),
    );
    this.#requests = new GoP2pRequests({
      handlers,
      inlineBytesMax,
      stats: () => goP2pStats(this.id, this.#profile.name, platform.now() - this.#startedAt),
    });
    this.tasks = new SessionTasks({
      url,
      fetch: platform.fetch,
      outageMs: options.outageMs,
      maxFrame,
    });
    this.#routes = new RouteReporter({
      url,
      platform,
      send: (route) => this.#limited.announce({ route }),
      emit: (event) => this.#emit(event),
    });
    this.#limited = new LimitedMessages(() => this.#loop.activeConnection, platform.monotonic);
    this.#dispatch = messageDispatcher(this.#createMessageHandlers(), platform.monotonic);
    // A program that does not await these promises must not end by an unhandled rejection.
    this.#ready.promise.catch(() => {});
    this.#closed.promise.catch(() => {});
    this.#drain = new PeerDrain({
      now: platform.now,
      announce: (drain) => void this.#loop.activeConnection?.send("drain", drain),
      settle: () => this.#runner.drain(),
      close: (reason) => this.close(reason),
      emit: (event) => this.#emit(event),
    });
    this.#loop = new SessionLoop({
      destination,
      platform,
      // While the peer drains, the mesh must not offer anything between its welcome and the announcement.
      profile: () => (this.#drain.isUnderWay ? { ...this.#profile, slots: 0 } : this.#profile),
      heldTasks: () => this.#runner.heldTasks(),
      loading: options.threads === null ? null : this.#load(options.threads),
      listener: this.#createLoopListener(),
    });
  }

  get id(): string {
    return this.#profile.keys.id;
  }

  get publicKey(): string {
    return toHex(this.#profile.keys.publicKey);
  }

  get state(): PeerState {
    return this.#loop.state;
  }

  get discoveryKeys(): DiscoveryKeys | null {
    return this.#discoveryKeys;
  }

  get ready(): Promise<JoinedMesh> {
    return this.#ready.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  drain(options: DrainPeerOptions = {}): Promise<void> {
    return this.#drain.begin(drainOf(options));
  }

  close(reason = "the peer leaves"): Promise<void> {
    // What a leaving peer gives up is no fault of it.
    if (this.#runner.heldTasks().length > 0)
      this.#loop.activeConnection?.send("drain", { reason, timeout_seconds: 0 });
    this.#runner.abandon(reason);
    return this.#loop.close(reason);
  }

  async rotate(newKey?: PrivateKey): Promise<KeyPair> {
    const keys = newKey === undefined ? generateIdentity() : identityFrom(newKey);
    const connection = this.#isMuster2 ? this.#loop.activeConnection : null;
    return this.#rotation.rotate(connection, this.#profile.keys, keys, this.#loop.meshKey ?? "");
  }

  advertise(peers: readonly KnownPeer[]): boolean {
    const advert = advertPayload(peers);
    return this.#limited.send("advert", advert);
  }

  reportRtts(rtts: readonly MeasuredRtt[]): boolean {
    const report = rttsPayload(rtts);
    return this.#isMuster2 && this.#limited.send("rtts", report);
  }

  announce(announcement: Announcement): void {
    const changes = announcedChanges(announcement, this.#handlers);
    const profile = { ...this.#profile, ...changes };
    goP2pIdentity(profile); // throws if a field is not valid
    this.#profile = profile;
    this.#runner.setCapacity(profile);
    this.#options.threads?.setSize(profile.slots);
    this.#limited.announce(changes);
  }

  /** Loads the module with the handlers. Returns the error with which the peer ends if that is not possible. */
  async #load(threads: ThreadPool): Promise<PeerError | null> {
    try {
      this.#handlers = this.#options.select(await threads.load());
      const profile = { ...this.#profile, kinds: kindsOf(this.#handlers) };
      goP2pIdentity(profile); // throws if the module handles a kind that is not valid
      this.#profile = profile;
      this.#runner.setHandlers(this.#handlers);
      this.#requests.setHandlers(this.#handlers);
      return null;
    } catch (error) {
      return new PeerError("handlers_not_loaded", messageOf(error));
    }
  }

  get #isMuster2(): boolean {
    return this.#options.destination.protocol === "muster/2";
  }

  #createLoopListener(): SessionLoopListener {
    const url = redact(this.#options.destination.url);
    return {
      connecting: (failures) => this.#emit({ type: "connecting", url, failures }),
      message: this.#dispatch,
      frameIgnored: (reason) => this.#emit({ type: "frame_ignored", reason }),
      detached: () => {
        this.#runner.detach();
        this.tasks.detach();
        this.#routes.detach();
      },
      recover: (error) => this.#adoptRotatedKey(error),
      disconnected: (end) => this.#emit({ type: "disconnected", ...end }),
      keyInUse: (reason, retryInMs) => this.#emit({ type: "key_in_use", reason, retryInMs }),
      closed: (error) => this.#onClosed(error),
    };
  }

  #createMessageHandlers(): MessageHandlers {
    const { now } = this.#options.platform;
    return {
      ping: ({ sentAt }, { id }) =>
        void this.#loop.connection?.send("pong", { sentAt, receivedAt: now() }, id),
      pong: (_pong, { replyTo }) => {
        if (!this.#runner.pongReceived(replyTo))
          this.#emit({ type: "frame_ignored", reason: "a pong that answers no ping" });
      },
      welcome: (welcome) => this.#onWelcome(welcome),
      task_offer: (offer) => this.#runner.offer(offer),
      task_return: (asked) => this.#runner.giveBack(asked),
      task_cancel: (cancel) => this.#runner.cancel(cancel),
      drain: ({ reason, timeout_seconds: seconds }) =>
        void this.#drain.begin({ by: "mesh", reason, timeoutMs: seconds * SECOND }),
      rejection: ({ code, reason, retry_after: retryAfter }) => {
        if (retryAfter !== undefined) this.#loop.rejected(retryAfter);
        if (code !== "key_in_use") this.#emit({ type: "rejected", code, reason });
      },
      sample: ({ pointers }) => this.#emit({ type: "sample", pointers }),
      ...requestHandlers((type, payload, id) => {
        const { connection } = this.#loop;
        if (connection !== null) void this.#requests.answer(type, payload, id, connection);
      }),
      task_shown: (shown, { replyTo }) => this.tasks.taskShown(shown, replyTo),
      error: (error, { replyTo }) => {
        if (this.tasks.errorReceived(error, replyTo)) return;
        if (this.#runner.errorReceived(error, replyTo)) return;
        const { code, message } = error;
        this.#rotation.errorReceived(code, message, replyTo);
        this.#emit({ type: "mesh_error", code, message, replyTo });
      },
      disconnect: ({ reason, reconnect }) => this.#loop.disconnecting(reconnect ?? null, reason),
      ignored: (reason) => this.#emit({ type: "frame_ignored", reason }),
    };
  }

  #onWelcome(welcome: PayloadOf<"welcome">): void {
    const { peer_id: peerId, epoch, role, mesh } = welcome;
    const connection = this.#loop.welcomed(welcome.reconnect ?? null, mesh.next_public_key ?? null);
    if (connection === null) return;
    this.#discoveryKeys = welcome.discovery ?? null;
    this.#drain.welcomed();
    this.#runner.attach(connection);
    this.tasks.attach(connection);
    this.#ready.resolve(mesh);
    this.#emit({ type: "ready", peerId, epoch, role, mesh });
    this.#routes.joined();
    if (this.#rotation.welcomed(peerId)) this.#emit({ type: "rotated", peerId });
  }

  /** The mesh has barred the old key in favor of the new one: from now on the peer dials with the new one. */
  #adoptRotatedKey(error: PeerError): boolean {
    const keys = this.#rotation.keysAfterRefusal(error, this.#profile.keys);
    if (keys === null) return false;
    this.#profile = { ...this.#profile, keys };
    return true;
  }

  #onClosed(error: PeerError | null): void {
    const reason = error?.message ?? "the peer closes";
    this.#drain.stop();
    this.#routes.stop();
    this.#runner.stop(reason);
    this.#loopMonitor.stop();
    this.#requests.stop(reason);
    this.#options.threads?.stop();
    this.tasks.stop(error ?? new PeerError("closed", "the peer is closed"));
    this.#rotation.stop(reason);
    this.#ready.reject(error ?? new PeerError("closed", "the peer was closed before it joined"));
    if (error === null) this.#closed.resolve();
    else this.#closed.reject(error);
    this.#emit({ type: "closed", error: error ?? undefined });
  }

  #emit(event: PeerEvent): void {
    notify(this.#options.onEvent, event);
  }
}
