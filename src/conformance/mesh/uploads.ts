import { equalConstantTime, toBase64, toHex, type Bytes } from "../../base/bytes.ts";
import type { RandomBytes } from "../../base/clock.ts";
import { sha256 } from "../../crypto/primitives/hashes.ts";
import {
  readClaimedUpload,
  resultSecretText,
  uploadKey,
  uploadMac,
  type ResultSecret,
} from "../../crypto/result-tickets.ts";
import { openBytes } from "../../crypto/sealed-stream.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { HttpAnswer, HttpRequest } from "../ports.ts";
import { problemAnswer } from "./dial.ts";
import type { FrameLog } from "../session/frame-log.ts";

/** An upload as it arrived. `fault` says what is wrong with it. */
export interface Upload {
  readonly path: string;
  readonly bytes: Bytes | null;
  readonly fault: string | null;
}

/** The uploads of large results: their tickets, their seal and their digest are checked as a mesh does. */
export class Uploads {
  readonly received: Upload[] = [];
  /** Refuses the next upload with this. */
  refuseNext: MusterError | null = null;
  readonly #log: FrameLog;
  readonly #secrets = new Map<string, ResultSecret>();

  constructor(log: FrameLog) {
    this.#log = log;
  }

  /** A secret for the upload of one attempt's result, as the offer carries it. */
  secretFor(peerId: string, taskId: string, fence: number, random: RandomBytes): string {
    const secret = { peerId, secret: random(32) };
    this.#secrets.set(`/v1/task-results/${taskId}/${fence}`, secret);
    return resultSecretText(secret);
  }

  async receive(request: HttpRequest): Promise<HttpAnswer> {
    const refusal = this.refuseNext;
    this.refuseNext = null;
    if (refusal !== null) return problemAnswer(refusal);
    const { bytes, fault } = await this.#read(request);
    this.received.push({ path: request.path, bytes, fault });
    if (fault === null) return { status: 204, body: "" };
    this.#log.add("--", `the upload is refused: ${fault}`);
    return problemAnswer({ code: "unauthorized", detail: fault });
  }

  async #read({ method, path, headers, body }: HttpRequest): Promise<Omit<Upload, "path">> {
    if (method !== "PUT") return wrong(`${method} instead of PUT`);
    const secret = this.#secrets.get(path);
    if (secret === undefined) return wrong("no offer had an upload of this task and fence");
    const [, ticket = ""] = /^Bearer (.+)$/i.exec(headers["authorization"] ?? "") ?? [];
    const claimed = readClaimedUpload(ticket);
    if (claimed === null) return wrong("the bearer token is no upload ticket");
    if (ticket.includes(toHex(secret.secret)))
      return wrong("the ticket contains the secret, which must not travel over HTTP");
    if (!equalConstantTime(uploadMac(secret.secret, claimed.content), claimed.mac))
      return wrong("the MAC of the ticket is wrong");
    const opened = await openBytes(body, uploadKey(secret));
    if (opened === null) return wrong("the body does not open with the secret of the offer");
    const { content } = claimed;
    return opened.length === content.bytes && toBase64(sha256(opened)) === content.sha256
      ? { bytes: opened, fault: null }
      : wrong("the body has another length or digest than the ticket says");
  }
}

const wrong = (fault: string): Omit<Upload, "path"> => ({ bytes: null, fault });
