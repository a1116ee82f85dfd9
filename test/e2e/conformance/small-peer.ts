/**
 * A peer that shares no code with the SDK but the primitives, and that can have one fault, named in FAULT: the kit must find each.
 * It does what docs/protocol.md asks of the core, and no more.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fromHex, fromUtf8, toHex, utf8, type Bytes } from "../../../src/base/bytes.ts";
import { keyPairFrom } from "../../../src/crypto/key-pairs.ts";
import { peerIdOf } from "../../../src/crypto/identity.ts";
import { makeConnectProof } from "../../../src/crypto/key-proofs.ts";
import { readNoise, splitNoise, startNoise, writeNoise } from "../../../src/crypto/noise.ts";
import { platformRandom } from "../../../src/crypto/primitives/random.ts";
import { openNext, sealNext, type Direction } from "../../../src/crypto/transport.ts";
import { portableX25519 as curve } from "../../../src/crypto/x25519.ts";
import { newUuid } from "../../../src/protocol/random-ids.ts";
import { hasFault, type Fault } from "./faults.ts";

type Fields = Readonly<Record<string, unknown>>;
interface Run {
  fence: number;
  readonly stop: AbortController;
}
interface Link {
  send(type: string, payload: Fields, replyTo?: string): string;
}

const { env } = process;
const fault = (name: Fault): boolean => hasFault(env["FAULT"], name);
const own = keyPairFrom(fromHex(env["MUSTER_PRIVATE_KEY"] ?? "") as Bytes);
const meshKey = fromHex(env["MUSTER_MESH_KEY"] ?? "") as Bytes;
const base = new URL(env["MUSTER_URL"] ?? "");
const slots = Number(env["MUSTER_SLOTS"]);
const ephemeral = platformRandom(32);

const runs = new Map<string, Run>();
const results = new Map<string, Fields>();
let link: Link | null = null;
let position = 0;
let failures = 0;

const handlers: Readonly<Record<string, (payload: never, run: Run) => unknown>> = {
  echo: (payload: unknown) => payload,
  fail: (payload: string) => {
    throw new Error(payload);
  },
  slow: async ({ seconds }: { seconds: number }, { stop }) =>
    sleep(seconds * 1_000, { seconds }, { signal: stop.signal }),
  big: ({ bytes }: { bytes: number }) => "x".repeat(bytes),
};

async function dialUrl(): Promise<string> {
  const t = Math.floor(Date.now() / 1_000) - (fault("old-time") ? 50 : 0);
  const keys = { privateKey: own.privateKey, publicKey: meshKey };
  const host = fault("proof-for-another-host") ? "localhost" : base.host;
  const proof = (await makeConnectProof(curve, keys, host, t)) ?? "";
  const url = new URL(`${base.href}v1/connect`);
  url.protocol = "ws:";
  const pub = toHex(own.publicKey);
  const query = { peer: own.id, pub, mesh: peerIdOf(meshKey), t: String(t), proof };
  url.search = new URLSearchParams(query).toString();
  if (fault("a-parameter-too-many")) url.searchParams.set("name", "extra");
  return url.href;
}

const hello = (): Fields => ({
  name: env["MUSTER_NAME"],
  role: "worker",
  kinds: env["MUSTER_KINDS"]?.split(","),
  slots: fault("one-slot") ? 1 : slots,
  held: fault("forgets-what-runs")
    ? []
    : [
        ...[...runs].map(([task_id, { fence }]) => ({ task_id, fence })),
        ...[...results.values()].map(({ task_id, fence }) => ({ task_id, fence })),
      ],
});

/** Runs one connection to its end; returns its close code. */
async function connect(): Promise<number> {
  const socket = new WebSocket(await dialUrl(), fault("no-subprotocol") ? [] : ["muster.2"]);
  socket.binaryType = "arraybuffer";
  const closed = Promise.withResolvers<number>();
  socket.addEventListener("close", ({ code }) => closed.resolve(code));
  const keys = fault("one-ephemeral-key") ? ephemeral : platformRandom(32);
  let steps: Promise<unknown> = Promise.resolve();
  const enqueue = (step: () => Promise<void>): void => void (steps = steps.then(step));
  let state = startNoise(true, utf8("muster/2"));
  let session: Session | null = null;
  socket.addEventListener("open", () => {
    enqueue(async () => {
      const first = await writeNoise(curve, state, own, keys, new Uint8Array());
      if (!first.ok) return socket.close(4401);
      state = first.value.state;
      socket.send(first.value.message);
    });
  });
  socket.addEventListener("message", (event) => {
    const data = event.data as string | ArrayBuffer;
    if (typeof data === "string") return;
    const frame = new Uint8Array(data);
    if (session !== null) return session.received(frame);
    enqueue(async () => {
      if (session !== null) return session.received(frame);
      const second = await readNoise(curve, state, own, frame);
      if (!second.ok) return socket.close(4401);
      const proved = second.value.state.remoteStatic as Bytes;
      if (toHex(proved) !== toHex(meshKey) && !fault("any-mesh-key")) return socket.close(4401);
      const text = utf8(JSON.stringify(hello()));
      const third = await writeNoise(curve, second.value.state, own, new Uint8Array(), text);
      const split = third.ok ? splitNoise(third.value.state) : null;
      if (!third.ok || split === null) return socket.close(4401);
      socket.send(third.value.message);
      session = new Session(socket, peerIdOf(proved), split.send, split.receive);
    });
  });
  const beat = setInterval(() => {
    if (!fault("never-heartbeats") && socket.readyState === 1) socket.send("ping");
  }, 20_000);
  const code = await closed.promise;
  clearInterval(beat);
  link = null;
  return code;
}

class Session implements Link {
  readonly #socket: WebSocket;
  readonly #meshId: string;
  #send: Direction;
  #receive: Direction;
  #sent = 0;
  #allowance = 90;
  readonly #waiting: (() => void)[] = [];

  constructor(socket: WebSocket, meshId: string, send: Bytes, receive: Bytes) {
    this.#socket = socket;
    this.#meshId = meshId;
    this.#send = { key: send, counter: 0 };
    this.#receive = { key: receive, counter: 0 };
    const timer = setInterval(() => {
      this.#allowance = Math.min(90, this.#allowance + 4);
      while (this.#allowance > 0 && this.#waiting.length > 0) this.#spend();
    }, 100);
    socket.addEventListener("close", () => clearInterval(timer));
  }

  send(type: string, payload: Fields, replyTo?: string): string {
    const id = fault("one-message-id") ? own.id : newUuid(platformRandom);
    const from = fault("wrong-from") ? this.#meshId : own.id;
    const ts = new Date().toISOString();
    const text = JSON.stringify({ id, type, from, to: this.#meshId, ts, payload, replyTo });
    const isAnswer = type.startsWith("task_");
    this.#waiting.push(() => {
      const { frame, next } = sealNext(this.#send, utf8(text));
      if (!(fault("repeats-a-counter") && ++this.#sent % 5 === 0)) this.#send = next;
      if (this.#socket.readyState === 1) this.#socket.send(frame);
    });
    if (isAnswer || fault("no-message-limit")) this.#waiting.pop()?.();
    else if (this.#allowance > 0) this.#spend();
    return id;
  }

  #spend(): void {
    this.#allowance--;
    this.#waiting.shift()?.();
  }

  received(frame: Bytes): void {
    const opened = frame.length > 1_048_576 ? null : openNext(this.#receive, frame);
    if (opened === null) {
      if (fault("skips-frames-that-do-not-open")) return;
      if (fault("takes-repeated-frames") && this.#receive.counter > 0) return this.#repeat(frame);
      return this.#socket.close(4400);
    }
    this.#receive = opened.next;
    this.#read(opened.plaintext);
  }

  #repeat(frame: Bytes): void {
    for (let counter = this.#receive.counter - 1; counter >= 0; counter--) {
      const opened = openNext({ ...this.#receive, counter }, frame);
      if (opened !== null) return this.#read(opened.plaintext);
    }
    this.#socket.close(4400);
  }

  #read(plain: Bytes): void {
    let message: { id?: string; type?: string; payload?: Fields; replyTo?: string };
    try {
      message = JSON.parse(fromUtf8(plain) ?? "") as typeof message;
      if (typeof message !== "object" || message === null) return;
      handle(this, message.type ?? "", message.id ?? "", message.payload ?? {}, message.replyTo);
    } catch {
      // What cannot be read is skipped.
    }
  }
}

const confirming = new Map<string, readonly string[]>();

function handle(to: Link, type: string, id: string, payload: Fields, replyTo?: string): void {
  switch (type) {
    case "welcome":
      return welcomed(to, payload);
    case "ping":
      return void to.send(
        "pong",
        { sentAt: payload["sentAt"], receivedAt: Date.now() },
        fault("pong-without-reply-to") ? undefined : id,
      );
    case "pong":
      for (const task of confirming.get(replyTo ?? "") ?? []) results.delete(task);
      return;
    case "task_offer":
      return offered(to, payload);
    case "task_cancel": {
      const run = runs.get(String(payload["task_id"]));
      if (run === undefined || run.fence > Number(payload["fence"]) || fault("ignores-cancel"))
        return;
      runs.delete(String(payload["task_id"]));
      return run.stop.abort();
    }
    default:
      if (fault("ends-at-an-unknown-type") && type === "type_of_tomorrow") process.exit(1);
  }
}

function welcomed(to: Link, { reconnect }: Fields): void {
  link = to;
  failures = 0;
  const { slot = 0, per_second: rate = 1 } = (reconnect ?? {}) as Record<string, number>;
  position = fault("ignores-its-position") ? 0 : (slot / rate) * 1_000;
  for (const result of results.values()) report(result);
}

function report(result: Fields): void {
  if (link === null) return;
  link.send("task_result", result);
  confirming.set(link.send("ping", { sentAt: 0, confirm: true }), [String(result["task_id"])]);
}

function offered(to: Link, payload: Fields): void {
  const {
    task_id,
    fence,
    kind,
    lease_seconds: lease,
  } = payload as {
    task_id: string;
    fence: number;
    kind: string;
    lease_seconds: number;
  };
  if (typeof task_id !== "string" || !(fence > 0)) return;
  const run = runs.get(task_id);
  if (run !== undefined) {
    if (fence < run.fence && !fault("takes-older-offers")) return;
    to.send("task_accept", { task_id, fence });
    if (!fault("keeps-the-old-fence")) run.fence = fence;
    return;
  }
  const isKnown = fault("takes-names-of-objects")
    ? kind in handlers
    : Object.hasOwn(handlers, kind);
  if (!isKnown && !fault("takes-any-kind"))
    return void to.send("task_refuse", { task_id, fence, reason: `no handler for ${kind}` });
  if (runs.size >= slots && !fault("more-than-its-slots"))
    return void to.send("task_refuse", { task_id, fence, reason: "no free slot" });
  const begun: Run = { fence, stop: new AbortController() };
  runs.set(task_id, begun);
  if (!fault("accepts-at-the-end")) to.send("task_accept", { task_id, fence });
  void perform(task_id, begun, kind, payload["payload"], lease);
}

async function perform(task_id: string, run: Run, kind: string, payload: unknown, lease: number) {
  const renew = () => void link?.send("task_progress", { task_id, fence: run.fence });
  const timer = setInterval(renew, Math.max(200, (Math.min(lease, 3_600) * 1_000) / 3));
  if (fault("never-renews")) clearInterval(timer);
  let outcome: Fields;
  try {
    const result = await handlers[kind]?.(payload as never, run);
    const isTooLarge = JSON.stringify(result ?? null).length > 262_144;
    outcome =
      isTooLarge && !fault("sends-any-size")
        ? { ok: false, error: "the result is too large", retry: false }
        : { ok: true, result };
  } catch (error) {
    outcome = { ok: false, error: (error as Error).message.slice(0, 2_000) };
  }
  clearInterval(timer);
  if (runs.get(task_id) !== run) return;
  runs.delete(task_id);
  if (fault("accepts-at-the-end")) link?.send("task_accept", { task_id, fence: run.fence });
  const result = { task_id, fence: run.fence, ...outcome };
  if (!fault("forgets-results")) results.set(task_id, result);
  report(result);
}

for (;;) {
  const isFinal = (code: number): boolean => code === 4403 || code === 4409;
  const code = await connect();
  if (isFinal(code) && !fault("comes-back-after-4403")) process.exit(1);
  failures++;
  const backoff = Math.min(30_000, 500 * 2 ** failures) * Math.random();
  await sleep(fault("no-backoff") ? 10 : position + backoff);
}
