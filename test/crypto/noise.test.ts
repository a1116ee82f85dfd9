import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import {
  readNoise,
  splitNoise,
  startNoise,
  writeNoise,
  type NoiseState,
  type TransportKeys,
} from "../../src/crypto/noise.ts";
import { x25519PublicKey } from "../../src/crypto/primitives.ts";
import { openNext, sealNext, type Direction } from "../../src/crypto/transport.ts";
import { nativeX25519, portableX25519, type X25519 } from "../../src/crypto/x25519.ts";
import { hexBytes, must } from "../must.ts";
import { seededRandom } from "../random.ts";
import { describeVectors } from "../shared.ts";

interface NoiseVector {
  readonly init_prologue: string;
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const CURVES: readonly [string, X25519][] = [
  ["native X25519", nativeX25519],
  ["portable X25519", portableX25519],
];

const staticKeys = (hex: string) => {
  const privateKey = hexBytes(hex);
  return { privateKey, publicKey: x25519PublicKey(privateKey) };
};

describeVectors<NoiseVector[]>("Noise_XX_25519_ChaChaPoly_SHA256", "noise-xx.json", (vectors) => {
  describe.each(CURVES)("with %s", (_, curve) => {
    it.each(vectors)("writes and reads every message of vector %#", async (vector) => {
      const sides = [
        { keys: staticKeys(vector.init_static), ephemeral: hexBytes(vector.init_ephemeral) },
        { keys: staticKeys(vector.resp_static), ephemeral: hexBytes(vector.resp_ephemeral) },
      ] as const;
      const states: [NoiseState, NoiseState] = [
        startNoise(true, hexBytes(vector.init_prologue)),
        startNoise(false, hexBytes(vector.resp_prologue)),
      ];
      for (const [i, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
        const [writer, reader] = i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
        const { keys, ephemeral } = sides[writer];
        const written = must(
          await writeNoise(curve, states[writer], keys, ephemeral, hexBytes(payload)),
        );
        expect(toHex(written.message)).toBe(ciphertext);
        const read = must(
          await readNoise(curve, states[reader], sides[reader].keys, written.message),
        );
        expect(toHex(read.payload)).toBe(payload);
        states[writer] = written.state;
        states[reader] = read.state;
      }
      const [initiator, responder] = states.map((state) => splitNoise(state) as TransportKeys) as [
        TransportKeys,
        TransportKeys,
      ];
      expect(toHex(initiator.handshakeHash)).toBe(vector.handshake_hash);
      expect(toHex(responder.handshakeHash)).toBe(vector.handshake_hash);
      expect(states[0].remoteStatic).toEqual(sides[1].keys.publicKey);
      expect(states[1].remoteStatic).toEqual(sides[0].keys.publicKey);
      const directions: [Direction, Direction] = [
        { key: responder.send, counter: 0 },
        { key: initiator.send, counter: 0 },
      ];
      for (const [i, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
        const direction = i % 2 === 0 ? 0 : 1;
        const sealed = sealNext(directions[direction], hexBytes(payload));
        expect(toHex(sealed.frame)).toBe(ciphertext);
        expect(openNext(directions[direction], sealed.frame)?.plaintext).toEqual(hexBytes(payload));
        directions[direction] = sealed.next;
      }
    });
  });
});

/** Runs a whole handshake and passes each message through `tamper`. */
async function handshake(seed: number, tamper: (message: Bytes, index: number) => Uint8Array) {
  const random = seededRandom(seed);
  const keys = [newKeyPair(random), newKeyPair(random)] as const;
  const states: [NoiseState, NoiseState] = [
    startNoise(true, utf8("muster/2")),
    startNoise(false, utf8("muster/2")),
  ];
  for (let i = 0; i < 3; i++) {
    const [writer, reader] = i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    const written = must(
      await writeNoise(
        portableX25519,
        states[writer],
        keys[writer],
        random(32),
        utf8(`payload ${i}`),
      ),
    );
    const read = await readNoise(
      portableX25519,
      states[reader],
      keys[reader],
      tamper(written.message, i),
    );
    if (!read.ok) return { failedAt: i, fault: read.error };
    states[writer] = written.state;
    states[reader] = read.value.state;
  }
  return { splits: states.map(splitNoise) as [TransportKeys, TransportKeys] };
}

describe("a Noise handshake", () => {
  it("gives both sides the same two keys, with send and receive swapped", async () => {
    const { splits } = await handshake(1, (message) => message);
    expect(splits?.[0].send).toEqual(splits?.[1].receive);
    expect(splits?.[0].receive).toEqual(splits?.[1].send);
    expect(splits?.[0].send).not.toEqual(splits?.[0].receive);
  });

  it("fails when any byte of any message is altered", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (index, at, mask) => {
          const ended = await handshake(7, (message, i) => {
            if (i !== index) return message;
            const altered = message.slice();
            altered[at % altered.length] = (altered[at % altered.length] as number) ^ mask;
            return altered;
          });
          // Message 1 is not encrypted: a change in it is detected at message 2, whose tag covers it.
          expect("failedAt" in ended || ended.splits?.[0].send !== ended.splits?.[1].receive).toBe(
            true,
          );
          if ("splits" in ended)
            expect(ended.splits?.[0].send).not.toEqual(ended.splits?.[1].receive);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("fails when any message is truncated at any byte", async () => {
    for (const index of [0, 1, 2]) {
      const ended = await handshake(3, (message, i) =>
        i === index ? message.subarray(0, message.length - 1) : message,
      );
      // The first message's payload is not encrypted, so truncation only changes it; the second message's tag detects that.
      expect("failedAt" in ended).toBe(true);
    }
  });

  it.each(CURVES)("refuses an ephemeral key of low order with %s", async (_, curve) => {
    const responder = newKeyPair(seededRandom(5));
    const read = must(
      await readNoise(curve, startNoise(false, utf8("muster/2")), responder, new Uint8Array(32)),
    );
    const written = await writeNoise(
      curve,
      read.state,
      responder,
      seededRandom(6)(32),
      new Uint8Array(),
    );
    expect(written).toEqual({ ok: false, error: "noise_message_invalid" });
  });

  it("refuses a message out of turn", async () => {
    const keys = newKeyPair(seededRandom(8));
    const state = startNoise(false, utf8("muster/2"));
    expect(
      await writeNoise(portableX25519, state, keys, keys.privateKey, new Uint8Array()),
    ).toEqual({
      ok: false,
      error: "noise_out_of_turn",
    });
    expect(splitNoise(state)).toBeNull();
  });
});

describe("X25519", () => {
  it("gives the same results by WebCrypto and in JavaScript", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        async (privateKey, other) => {
          expect(await nativeX25519.publicKey(privateKey)).toEqual(
            await portableX25519.publicKey(privateKey),
          );
          expect(await nativeX25519.agree(privateKey, other)).toEqual(
            await portableX25519.agree(privateKey, other),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each(CURVES)("refuses keys of low order and of wrong length with %s", async (_, curve) => {
    const privateKey = new Uint8Array(32).fill(0x42);
    const lowOrder = [
      "00".repeat(32),
      `01${"00".repeat(31)}`,
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    ];
    for (const hex of lowOrder)
      expect(await curve.agree(privateKey, fromHex(hex) as Bytes)).toBeNull();
    expect(await curve.agree(privateKey, new Uint8Array(31))).toBeNull();
  });
});
