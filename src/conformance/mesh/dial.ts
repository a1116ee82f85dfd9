import { fromHex } from "../../base/bytes.ts";
import { SECOND, type Millis } from "../../base/clock.ts";
import { peerIdOf, type KeyPair } from "../../crypto/identity.ts";
import { verifyConnectProof } from "../../crypto/key-proofs.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import { CONNECT_CLOCK_SKEW_MAX, MUSTER_2_SUBPROTOCOL } from "../../protocol/constants.ts";
import { toProblem, type MusterError } from "../../protocol/errors.ts";
import type { HttpAnswer, HttpRequest, Upgrade } from "../ports.ts";
import type { FrameLog } from "../session/frame-log.ts";
import { FrameSocket } from "../session/frame-socket.ts";

/** An error of the gateway as its HTTP answer. */
export function problemAnswer(error: MusterError): HttpAnswer {
  const problem = toProblem(error);
  const retryAfter = problem.retry_after;
  return {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
    },
    body: JSON.stringify(problem),
  };
}

/** A peer's request to open a WebSocket. */
export class Dial {
  readonly at: Millis;
  readonly #upgrade: Upgrade;
  readonly #log: FrameLog;

  constructor(upgrade: Upgrade, log: FrameLog, at: Millis) {
    this.at = at;
    this.#upgrade = upgrade;
    this.#log = log;
  }

  get request(): HttpRequest {
    return this.#upgrade.request;
  }

  field(name: string): string {
    return this.request.query.get(name) ?? "";
  }

  get subprotocols(): readonly string[] {
    return (this.request.headers["sec-websocket-protocol"] ?? "")
      .split(",")
      .map((text) => text.trim());
  }

  /** Opens the socket, over muster.2 if the peer asks for it. */
  accept(): FrameSocket {
    const subprotocol = this.subprotocols.includes(MUSTER_2_SUBPROTOCOL)
      ? MUSTER_2_SUBPROTOCOL
      : null;
    this.#log.add("<-", "101 Switching Protocols");
    return new FrameSocket(this.#upgrade.accept(subprotocol), this.#log, "->");
  }

  refuse(error: MusterError): void {
    const answer = problemAnswer(error);
    this.#log.add("<-", `${answer.status} ${error.code}`);
    this.#upgrade.refuse(answer);
  }
}

/** What a gateway with this key and this time finds wrong with the query of a dial; null when it is right. */
export async function connectFault(
  { query, headers }: HttpRequest,
  keys: KeyPair,
  now: Millis,
): Promise<MusterError | null> {
  const field = (name: string): string => query.get(name) ?? "";
  const publicKey = fromHex(field("pub"));
  if (publicKey === null || peerIdOf(publicKey) !== field("peer"))
    return { code: "identity_mismatch", detail: "peer is not the ID of the key in pub" };
  if (field("mesh") !== keys.id)
    return { code: "mesh_key_unknown", detail: "this mesh does not have the requested key" };
  const t = Number(field("t"));
  if (!(Math.abs(t * SECOND - now) <= CONNECT_CLOCK_SKEW_MAX))
    return {
      code: "clock_skew",
      detail: "your clock differs from the mesh's by more than a minute",
      time: new Date(now).toISOString(),
    };
  const pair = { privateKey: keys.privateKey, publicKey };
  const host = headers["host"] ?? "";
  return (await verifyConnectProof(await platformX25519(), pair, host, t, field("proof")))
    ? null
    : { code: "proof_failed", detail: "proof does not match this key, host and time" };
}
