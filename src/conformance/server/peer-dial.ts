import { fromHex, toHex } from "../../base/bytes.ts";
import { SECOND } from "../../base/clock.ts";
import { peerIdOf, type KeyPair } from "../../crypto/identity.ts";
import { makeConnectProof } from "../../crypto/key-proofs.ts";
import { platformX25519 } from "../../crypto/x25519.ts";
import { MUSTER_2_SUBPROTOCOL } from "../../protocol/constants.ts";
import { CheckFailed } from "../failure.ts";
import type { FrameSocket } from "../session/frame-socket.ts";
import type { ServerBench } from "./server-bench.ts";

/** How a dial differs from a right one. */
export interface DialChanges {
  /** The host that the proof is made for. */
  readonly host?: string;
  /** The time in the URL, in Unix seconds. */
  readonly t?: number;
  /** Replaces parameters of the query; null leaves one out. */
  readonly query?: Readonly<Record<string, string | null>>;
}

/** The public key of the mesh, as it claims it. */
export async function meshKeyOf({ url }: ServerBench): Promise<Uint8Array> {
  const response = await fetch(`${url}v1/mesh`);
  const { public_key: key } = (await response.json()) as { readonly public_key?: unknown };
  const publicKey = fromHex(String(key));
  if (publicKey === null) throw new CheckFailed("public_key in GET v1/mesh", String(key));
  return publicKey;
}

/** The URL by which a peer with this key dials. */
export async function dialUrl(
  bench: ServerBench,
  keys: KeyPair,
  { host, t = Math.floor(Date.now() / SECOND), query = {} }: DialChanges = {},
): Promise<string> {
  const publicKey = await meshKeyOf(bench);
  const url = new URL(`${bench.url}v1/connect`);
  const pair = { privateKey: keys.privateKey, publicKey };
  const proof = await makeConnectProof(await platformX25519(), pair, host ?? url.host, t);
  const right = {
    peer: keys.id,
    pub: toHex(keys.publicKey),
    mesh: peerIdOf(publicKey),
    t: String(t),
    proof: proof ?? "",
  };
  for (const [name, value] of Object.entries({ ...right, ...query }))
    if (value !== null) url.searchParams.set(name, value);
  return url.href;
}

/** Opens the WebSocket of a right dial. */
export async function opened(bench: ServerBench, keys: KeyPair): Promise<FrameSocket> {
  const url = await dialUrl(bench, keys);
  const socket = await bench.open(url.replace(/^http/, "ws"), MUSTER_2_SUBPROTOCOL);
  if (socket === null)
    throw new CheckFailed("an open WebSocket for a dial with a right proof", await refusalOf(url));
  return socket;
}

/** What a plain GET of a dial's URL answers: the reason why a gateway refuses it. */
export async function refusalOf(url: string): Promise<string> {
  const response = await fetch(url);
  const problem = (await response.json().catch(() => ({}))) as { readonly code?: string };
  return `${response.status} ${problem.code ?? ""}`.trim();
}
