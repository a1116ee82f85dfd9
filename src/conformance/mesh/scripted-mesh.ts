import { fromHex, toHex } from "../../base/bytes.ts";
import { toRfc3339, type Millis, type RandomBytes } from "../../base/clock.ts";
import type { KeyPair } from "../../crypto/identity.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { makeMeshProof } from "../../crypto/key-proofs.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import { CheckFailed, pause } from "../failure.ts";
import type { HttpAnswer, HttpRequest, ServerListener, Upgrade } from "../ports.ts";
import { connectFault, Dial, problemAnswer } from "./dial.ts";
import type { FrameLog } from "../session/frame-log.ts";
import { Mailbox } from "../session/mailbox.ts";
import { Payloads } from "./payloads.ts";
import { Uploads } from "./uploads.ts";

const DIAL_WITHIN: Millis = 15_000;
/** Dials that a check leaves unanswered: a program that dials without a pause must not fill the kit's memory. */
const DIALS_MAX = 2_000;

/**
 * A mesh whose answers a check writes: it does nothing by itself but to answer HTTP requests as a mesh does, unless the check
 * replaces the answer of a path.
 */
export class ScriptedMesh implements ServerListener {
  readonly log: FrameLog;
  readonly random: RandomBytes;
  keys: KeyPair;
  readonly uploads: Uploads;
  readonly payloads: Payloads;
  /** The mesh's clock minus that of this machine. */
  clockOffset: Millis = 0;
  /** Every dial, also those that were taken. */
  readonly dials: Dial[] = [];
  /** Every other request. */
  readonly requests: HttpRequest[] = [];
  /** Answers by path, instead of the ordinary ones. */
  readonly answers = new Map<string, (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>>();
  /** Answers a dial at once; null leaves it to the check. */
  onDial: ((dial: Dial) => void) | null = null;
  readonly #waiting = new Mailbox<Dial>();

  constructor(log: FrameLog, random: RandomBytes) {
    this.log = log;
    this.random = random;
    this.keys = newKeyPair(random);
    this.uploads = new Uploads(log);
    this.payloads = new Payloads(log, random);
  }

  get now(): Millis {
    return Date.now() + this.clockOffset;
  }

  get publicKey(): string {
    return toHex(this.keys.publicKey);
  }

  /** The program has ended: it dials no more. */
  programEnded(how: string): void {
    this.#waiting.end(how);
  }

  /** The peer's next dial. */
  async nextDial(within: Millis = DIAL_WITHIN, expected = "a dial"): Promise<Dial> {
    return this.#waiting.take(
      expected,
      within,
      (dial) => dial,
      () => (this.dials.length === 0 ? "" : `${this.dials.length} dials before`),
    );
  }

  /** Fails if the peer dials within the time. */
  async noDial(statement: string, within: Millis): Promise<void> {
    await pause(within);
    const [dial] = this.#waiting.waiting;
    if (dial !== undefined) throw new CheckFailed(statement, "a dial");
  }

  upgraded(upgrade: Upgrade): void {
    const dial = new Dial(upgrade, this.log, Date.now());
    this.log.add("->", `dial of ${upgrade.request.path}`);
    if (this.dials.length >= DIALS_MAX)
      return dial.refuse({ code: "rate_limited", detail: "the check has ended" });
    this.dials.push(dial);
    if (this.onDial === null) this.#waiting.put(dial);
    else this.onDial(dial);
  }

  async requested(request: HttpRequest): Promise<HttpAnswer> {
    this.log.add("->", `${request.method} ${request.path}`);
    this.requests.push(request);
    const answer = await this.#answer(request);
    this.log.add("<-", `${answer.status}`);
    return answer;
  }

  async #answer(request: HttpRequest): Promise<HttpAnswer> {
    const scripted = this.answers.get(request.path);
    if (scripted !== undefined) return scripted(request);
    if (request.path.startsWith("/v1/task-results/")) return this.uploads.receive(request);
    if (request.path.startsWith("/v1/task-payloads/")) return this.payloads.send(request);
    switch (request.path) {
      case "/v1/mesh":
        return json(this.view);
      case "/v1/mesh/proof":
        return json(await this.prove(request.query.get("challenge") ?? "", this.keys));
      case "/v1/connect":
        return problemAnswer(
          (await connectFault(request, this.keys, this.now)) ?? {
            code: "upgrade_required",
            detail: "this path requires a WebSocket upgrade",
          },
        );
      default:
        return problemAnswer({ code: "not_found", detail: "the scripted mesh has no such path" });
    }
  }

  get view() {
    return {
      id: this.keys.id,
      name: "conformance",
      public_key: this.publicKey,
      signing_key: SIGNING_KEY,
      protocols: ["muster/2", "go-p2p/1.0"],
    };
  }

  /** What `GET /v1/mesh/proof` answers, made with this key. */
  async prove(challenge: string, keys: KeyPair) {
    const stated = { signing_key: SIGNING_KEY, time: toRfc3339(this.now) };
    const pair = {
      privateKey: keys.privateKey,
      publicKey: fromHex(challenge) ?? new Uint8Array(32),
    };
    const proof = await makeMeshProof(await platformX25519(), pair, challenge, stated);
    return { ...stated, proof };
  }
}

/** The scripted mesh signs nothing. */
const SIGNING_KEY = "5a".repeat(32);

const json = (value: unknown): HttpAnswer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});
