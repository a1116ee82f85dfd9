import { toBase64, toHex, utf8, type Bytes } from "../../base/bytes.ts";
import type { RandomBytes } from "../../base/clock.ts";
import { sha256 } from "../../crypto/primitives/hashes.ts";
import {
  payloadKey,
  payloadTicket,
  resultSecretText,
  type ResultSecret,
} from "../../crypto/result-tickets.ts";
import { sealBytes } from "../../crypto/sealed-stream.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { HttpAnswer, HttpRequest } from "../ports.ts";
import { problemAnswer } from "./dial.ts";
import type { FrameLog } from "../session/frame-log.ts";

interface Kept {
  readonly secret: ResultSecret;
  readonly bytes: Bytes;
}

/** The payloads that offers only refer to: peers with a limit for frames read them over HTTP. */
export class Payloads {
  /** Requests that were answered with a payload. */
  sent = 0;
  /** Refuses the next request with this. */
  refuseNext: MusterError | null = null;
  readonly #log: FrameLog;
  readonly #random: RandomBytes;
  readonly #kept = new Map<string, Kept>();

  constructor(log: FrameLog, random: RandomBytes) {
    this.#log = log;
    this.#random = random;
  }

  /** Keeps a payload, and returns the fields of an offer that refers to it. `digestOf`: what the offer says of its bytes. */
  referTo(
    peerId: string,
    of: { taskId: string; fence: number },
    payload: unknown,
    digestOf = payload,
  ) {
    const secret = { peerId, secret: this.#random(32) };
    const bytes = utf8(JSON.stringify(payload));
    this.#kept.set(`/v1/task-payloads/${of.taskId}/${of.fence}`, { secret, bytes });
    const digest = toBase64(sha256(utf8(JSON.stringify(digestOf))));
    return {
      payload: undefined,
      payload_ref: { bytes: bytes.length, sha256: digest },
      upload: resultSecretText(secret),
    };
  }

  async send({ method, path, headers }: HttpRequest): Promise<HttpAnswer> {
    const refusal = this.refuseNext;
    this.refuseNext = null;
    if (refusal !== null) return problemAnswer(refusal);
    const kept = this.#kept.get(path);
    if (kept === undefined) return this.#refuse("no offer refers to a payload at this path");
    const given = headers["authorization"] ?? "";
    if (given.includes(toHex(kept.secret.secret)))
      return this.#refuse("the ticket contains the secret, which must not travel over HTTP");
    if (method !== "GET" || given !== `Bearer ${payloadTicket(kept.secret)}`)
      return this.#refuse("the request is no GET with the right ticket");
    this.sent++;
    return {
      status: 200,
      headers: { "content-type": "application/octet-stream" },
      body: await sealBytes(kept.bytes, payloadKey(kept.secret), this.#random),
    };
  }

  #refuse(detail: string): HttpAnswer {
    this.#log.add("--", `the payload is refused: ${detail}`);
    return problemAnswer({ code: "unauthorized", detail });
  }
}
