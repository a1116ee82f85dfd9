import { randomBytes } from "node:crypto";
import type { Bytes } from "../src/base/bytes.ts";
import type { Result } from "../src/base/result.ts";
import { sharedSecret } from "../src/crypto/identity.ts";
import { newKeyPair } from "../src/crypto/key-pairs.ts";
import {
  platformRandom,
  XCHACHA_NONCE_BYTES,
  xchachaOpen,
  xchachaSeal,
} from "../src/crypto/primitives.ts";
import { openSigil, sealSigil } from "../src/crypto/sigil.ts";
import { openForm, sealForm } from "../src/stmf/seal.ts";
import type { Bench } from "./bench.ts";

/** The payload may need this many times the CPU time of the bare cipher. */
const BAR = 3;
const ROUNDS = 31;
/** Approximate CPU time of one subject in one round: short, so that other load affects all subjects alike. */
const ROUND_MS = 25;
const WARM_MS = 150;

const SIZES = { "1_KiB": 1_024, "1_MiB": 1_024 * 1_024 } as const;

export const stmf: Bench = {
  summary:
    "STMF containers sealed and opened per second, key agreement and payload separately, compared with bare XChaCha20-Poly1305",
  async run(log, scale) {
    const rounds = Math.max(3, Math.round(ROUNDS * scale));
    const agreement = await measure(agreements(), rounds);
    log(line("key agreement", "seal", agreement.seal, "open", agreement.open));
    const sizes: Record<string, Figure> = {};
    for (const [name, bytes] of Object.entries(SIZES)) {
      const times = await measure(subjectsOf(bytes), rounds);
      const figure = figureOf(times);
      sizes[name] = figure;
      log(line(`${name} bare`, "seal", times.bare_seal, "open", times.bare_open));
      log(line(`${name} payload`, "seal", times.payload_seal, "open", times.payload_open));
      log(line(`${name} whole`, "seal", times.seal, "open", times.open));
      log(
        `${name}: payload ${figure.payload_times_bare.seal} and ${figure.payload_times_bare.open} times bare`,
      );
    }
    const within = Object.values(sizes).every(
      ({ payload_times_bare: { seal, open } }) => seal <= BAR && open <= BAR,
    );
    return {
      ok: within,
      bar: `the payload within ${BAR} times bare XChaCha20-Poly1305 of @noble, at both sizes`,
      rounds,
      key_agreement: { seal_us: micros(agreement.seal), open_us: micros(agreement.open) },
      ...sizes,
    };
  },
};

type Subjects<Name extends string> = Readonly<Record<Name, () => unknown>>;

/** Sealing generates a key pair and computes a shared secret, opening computes it only: two and one curve operations. */
function agreements(): Subjects<"seal" | "open"> {
  const [own, other] = [newKeyPair(platformRandom), newKeyPair(platformRandom)];
  return {
    seal: () => sharedSecret(newKeyPair(platformRandom).privateKey, other.publicKey),
    open: () => sharedSecret(own.privateKey, other.publicKey),
  };
}

function subjectsOf(bytes: number) {
  const key = platformRandom(32);
  const nonce = platformRandom(XCHACHA_NONCE_BYTES);
  const plaintext: Bytes = new Uint8Array(randomBytes(bytes));
  const bare = xchachaSeal(key, nonce, plaintext);
  const sigil = sealSigil(key, plaintext, platformRandom);
  const recipient = newKeyPair(platformRandom);
  // The JSON of the form has the same size, so that whole containers are comparable with payloads.
  const empty = JSON.stringify({ fields: [{ name: "f", value: "" }] });
  const form = { fields: [{ name: "f", value: "x".repeat(bytes - empty.length) }] };
  const container = must(sealForm(form, recipient.publicKey, platformRandom));
  return {
    bare_seal: () => xchachaSeal(key, platformRandom(XCHACHA_NONCE_BYTES), plaintext),
    bare_open: () => present(xchachaOpen(key, nonce, bare)),
    payload_seal: () => sealSigil(key, plaintext, platformRandom),
    payload_open: () => present(openSigil(key, sigil)),
    seal: () => must(sealForm(form, recipient.publicKey, platformRandom)),
    open: () => must(openForm(container, recipient.privateKey)),
  };
}

/**
 * Milliseconds of CPU time of one run of each subject: the median over rounds in which the subjects alternate, so that
 * other load of the machine affects all alike.
 */
async function measure<Name extends string>(
  subjects: Subjects<Name>,
  rounds: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(subjects) as Name[];
  const lanes = names.map((name) => ({ subject: subjects[name], count: 1, times: [] as number[] }));
  for (const lane of lanes) {
    const once = cpuMs(lane.subject, warmUp(lane.subject));
    lane.count = Math.max(1, Math.round(ROUND_MS / once));
  }
  for (let round = 0; round < rounds; round++) {
    for (const { subject, count, times } of lanes) times.push(cpuMs(subject, count));
    await new Promise(setImmediate);
  }
  return Object.fromEntries(
    names.map((name, at) => [name, median(lanes[at]?.times ?? [])]),
  ) as Record<Name, number>;
}

/** Runs the subject until the engine has compiled it; returns the number of runs. */
function warmUp(subject: () => unknown): number {
  const began = performance.now();
  let count = 0;
  for (; performance.now() - began < WARM_MS; count++) subject();
  return count;
}

/** The CPU time of this process for one of `count` runs, including the threads of the garbage collector. */
function cpuMs(subject: () => unknown, count: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) subject();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / count;
}

type Figure = ReturnType<typeof figureOf>;

const figureOf = (times: Record<keyof ReturnType<typeof subjectsOf>, number>) => ({
  seals_per_second: perSecond(times.seal),
  opens_per_second: perSecond(times.open),
  bare_us: { seal: micros(times.bare_seal), open: micros(times.bare_open) },
  payload_us: { seal: micros(times.payload_seal), open: micros(times.payload_open) },
  payload_times_bare: {
    seal: round2(times.payload_seal / times.bare_seal),
    open: round2(times.payload_open / times.bare_open),
  },
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const round2 = (value: number): number => Math.round(value * 100) / 100;
const micros = (ms: number): number => Math.round(ms * 10_000) / 10;
const perSecond = (ms: number): number => round2(1_000 / ms);

const line = (title: string, one: string, oneMs: number, other: string, otherMs: number): string =>
  `${title.padEnd(14)} ${one} ${micros(oneMs).toFixed(1).padStart(9)} µs  ${other} ${micros(otherMs).toFixed(1).padStart(9)} µs`;

function must<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error("the container cannot be opened");
  return value;
}
