import { concat, utf8, type Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { chachaOpen, chachaSeal, TAG_BYTES } from "./primitives/chacha.ts";
import { hmacSha256, sha256 } from "./primitives/hashes.ts";
import type { X25519 } from "./x25519.ts";

/**
 * Noise_XX_25519_ChaChaPoly_SHA256 (The Noise Protocol Framework, revision 34): -> e; <- e, ee, s, es; -> s, se.
 * Both sides prove their static keys to each other with fresh ephemeral keys. The state is plain data, so that it can be
 * stored in a socket's attachment between messages. Each step returns a new state.
 */
const PROTOCOL = utf8("Noise_XX_25519_ChaChaPoly_SHA256");

export interface StaticKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The state of a handshake between two messages: the symmetric state of §5.2 and the keys known so far. */
export interface NoiseState {
  readonly initiator: boolean;
  /** Messages written and read so far: 0 to 3. */
  readonly messages: number;
  readonly chainingKey: Bytes;
  readonly hash: Bytes;
  /** The handshake's cipher key; null before the first key agreement. `nonce` is the counter of this cipher. */
  readonly key: Bytes | null;
  readonly nonce: number;
  readonly ephemeral: { readonly privateKey: Bytes; readonly publicKey: Bytes } | null;
  readonly remoteEphemeral: Bytes | null;
  readonly remoteStatic: Bytes | null;
}

/** The result of a handshake (§5.2 Split): one key for each direction. */
export interface TransportKeys {
  readonly send: Bytes;
  readonly receive: Bytes;
  /** The handshake hash: equal on both sides, unique to this handshake. */
  readonly handshakeHash: Bytes;
}

export type NoiseFault = "noise_message_invalid" | "noise_out_of_turn";

export interface WrittenMessage {
  readonly state: NoiseState;
  readonly message: Bytes;
}
export interface ReadMessage {
  readonly state: NoiseState;
  readonly payload: Bytes;
}

/** The state before the first message. Both sides must use the same prologue. */
export function startNoise(initiator: boolean, prologue: Uint8Array): NoiseState {
  // The protocol name has exactly 32 bytes, so it is the initial hash without hashing (§5.2).
  const state = {
    initiator,
    messages: 0,
    chainingKey: PROTOCOL,
    hash: PROTOCOL,
    key: null,
    nonce: 0,
    ephemeral: null,
    remoteEphemeral: null,
    remoteStatic: null,
  };
  return mixHash(state, prologue);
}

type Token = "e" | "s" | "ee" | "es" | "se";
const PATTERN: readonly (readonly Token[])[] = [["e"], ["e", "ee", "s", "es"], ["s", "se"]];

const isOwnTurn = ({ initiator, messages }: NoiseState): boolean =>
  (messages % 2 === 0) === initiator;

/** Writes the next message. `ephemeralKey` is 32 fresh random bytes, used where the pattern sends `e`. */
export async function writeNoise(
  curve: X25519,
  from: NoiseState,
  own: StaticKeys,
  ephemeralKey: Bytes,
  payload: Uint8Array,
): Promise<Result<WrittenMessage, NoiseFault>> {
  const tokens = PATTERN[from.messages];
  if (tokens === undefined || !isOwnTurn(from)) return err("noise_out_of_turn");
  let state = from;
  const parts: Bytes[] = [];
  for (const token of tokens) {
    if (token === "e") {
      const ephemeral = {
        privateKey: ephemeralKey,
        publicKey: await curve.publicKey(ephemeralKey),
      };
      parts.push(ephemeral.publicKey);
      state = mixHash({ ...state, ephemeral }, ephemeral.publicKey);
    } else if (token === "s") {
      const sealed = encryptAndHash(state, own.publicKey);
      parts.push(sealed.bytes);
      state = sealed.state;
    } else {
      const mixed = await mixAgreement(curve, state, own, token);
      if (mixed === null) return err("noise_message_invalid");
      state = mixed;
    }
  }
  const sealed = encryptAndHash(state, payload);
  parts.push(sealed.bytes);
  return ok({ state: { ...sealed.state, messages: from.messages + 1 }, message: concat(...parts) });
}

/** Reads the next message. A message that was altered or that uses a key of low order is `noise_message_invalid`. */
export async function readNoise(
  curve: X25519,
  from: NoiseState,
  own: StaticKeys,
  message: Uint8Array,
): Promise<Result<ReadMessage, NoiseFault>> {
  const tokens = PATTERN[from.messages];
  if (tokens === undefined || isOwnTurn(from)) return err("noise_out_of_turn");
  let state = from;
  let rest = message;
  for (const token of tokens) {
    if (token === "e") {
      if (rest.length < KEY_BYTES) return err("noise_message_invalid");
      const remoteEphemeral = concat(rest.subarray(0, KEY_BYTES));
      rest = rest.subarray(KEY_BYTES);
      state = mixHash({ ...state, remoteEphemeral }, remoteEphemeral);
    } else if (token === "s") {
      const length = KEY_BYTES + TAG_BYTES;
      const opened = decryptAndHash(state, rest.subarray(0, length));
      if (opened === null || opened.bytes.length !== KEY_BYTES) return err("noise_message_invalid");
      rest = rest.subarray(length);
      state = { ...opened.state, remoteStatic: opened.bytes };
    } else {
      const mixed = await mixAgreement(curve, state, own, token);
      if (mixed === null) return err("noise_message_invalid");
      state = mixed;
    }
  }
  const opened = decryptAndHash(state, rest);
  if (opened === null) return err("noise_message_invalid");
  return ok({ state: { ...opened.state, messages: from.messages + 1 }, payload: opened.bytes });
}

/** The transport keys; null before all three messages were exchanged. */
export function splitNoise({
  initiator,
  messages,
  chainingKey,
  hash,
}: NoiseState): TransportKeys | null {
  if (messages !== PATTERN.length) return null;
  const [first, second] = noiseHkdf(chainingKey, new Uint8Array());
  return {
    send: initiator ? first : second,
    receive: initiator ? second : first,
    handshakeHash: hash,
  };
}

/** `es` agrees on the initiator's ephemeral and the responder's static key; `se` on the opposite pair (§7.1). */
async function mixAgreement(
  curve: X25519,
  state: NoiseState,
  own: StaticKeys,
  token: "ee" | "es" | "se",
): Promise<NoiseState | null> {
  const ownIsStatic = token !== "ee" && (token === "es") !== state.initiator;
  const theirsIsStatic = token !== "ee" && !ownIsStatic;
  const privateKey = ownIsStatic ? own.privateKey : state.ephemeral?.privateKey;
  const publicKey = theirsIsStatic ? state.remoteStatic : state.remoteEphemeral;
  if (privateKey === undefined || publicKey === null) return null;
  const agreed = await curve.agree(privateKey, publicKey);
  if (agreed === null) return null;
  const [chainingKey, key] = noiseHkdf(state.chainingKey, agreed);
  return { ...state, chainingKey, key, nonce: 0 };
}

const mixHash = <S extends NoiseState>(state: S, data: Uint8Array): S => ({
  ...state,
  hash: sha256(concat(state.hash, data)),
});

function encryptAndHash(
  state: NoiseState,
  plaintext: Uint8Array,
): { readonly state: NoiseState; readonly bytes: Bytes } {
  const bytes =
    state.key === null
      ? concat(plaintext)
      : chachaSeal(state.key, nonceBytes(state.nonce), plaintext, state.hash);
  return {
    state: { ...mixHash(state, bytes), nonce: state.nonce + Number(state.key !== null) },
    bytes,
  };
}

function decryptAndHash(
  state: NoiseState,
  sealed: Uint8Array,
): { readonly state: NoiseState; readonly bytes: Bytes } | null {
  const bytes =
    state.key === null
      ? concat(sealed)
      : chachaOpen(state.key, nonceBytes(state.nonce), sealed, state.hash);
  if (bytes === null) return null;
  return {
    state: { ...mixHash(state, sealed), nonce: state.nonce + Number(state.key !== null) },
    bytes,
  };
}

/** HKDF with two outputs (§4.3): RFC 5869 with the chaining key as salt and no info. */
function noiseHkdf(chainingKey: Uint8Array, input: Uint8Array): readonly [Bytes, Bytes] {
  const temporary = hmacSha256(chainingKey, input);
  const first = hmacSha256(temporary, Uint8Array.of(1));
  return [first, hmacSha256(temporary, concat(first, Uint8Array.of(2)))];
}

/** ChaChaPoly's nonce in Noise: 32 zero bits, then the counter as 64 bits, little-endian (§12.3). */
export function nonceBytes(counter: number): Bytes {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, counter >>> 0, true);
  view.setUint32(8, Math.floor(counter / 2 ** 32), true);
  return nonce;
}
