import { concat, utf8 } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";

/** Deterministic choices from a seed. Each input has its own seed, so that the seed identifies a failing input. */
export interface Dice {
  /** 0 to `below` - 1. */
  int(below: number): number;
  pick<T>(from: readonly T[]): T;
  oneIn(many: number): boolean;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

export function diceOf(seed: number): Dice {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 4; i++) next(); // adjacent seeds start with similar values
  const int = (below: number) => next() % below;
  return {
    int,
    pick: (from) => from[int(from.length)] as never,
    oneIn: (many) => int(many) === 0,
    bytes: (length) => Uint8Array.from({ length }, () => next() & 255),
  };
}

const NUMBERS = [0, 1, 2, 127, 128, 255, 256, 16_383, 16_384, 16_385, 2 ** 31, 2 ** 32 - 1];

/** Applies one to four mutations: cutting, splicing, repeating, and inserting numbers that are critical as lengths. */
export function mutateBytes(dice: Dice, sample: Uint8Array, other: Uint8Array): Uint8Array {
  let data: Uint8Array = Uint8Array.from(sample);
  for (let left = 1 + dice.int(4); left > 0; left--) {
    const at = dice.int(data.length + 1);
    const [before, after] = [data.subarray(0, at), data.subarray(at)];
    switch (dice.int(8)) {
      case 0:
        data = before;
        break;
      case 1:
        data = concat(before, dice.bytes(dice.int(9)), after);
        break;
      case 2:
        data = concat(before, after.subarray(dice.int(9)));
        break;
      case 3:
        data = concat(before, other.subarray(dice.int(other.length + 1)));
        break;
      case 4:
        data = concat(before, after.subarray(0, dice.int(40)), after);
        break;
      case 5:
        if (data.length >= at + 4)
          new DataView(data.buffer, data.byteOffset).setUint32(at, dice.pick(NUMBERS));
        break;
      default:
        if (at < data.length) data[at] = (data[at] as number) ^ (1 << dice.int(8));
    }
  }
  return data;
}

const TEXTS = [
  "",
  "a",
  "\0",
  "é",
  "😀",
  "\ud800",
  "__proto__",
  "constructor",
  "\\",
  '"',
  "file",
  "AA==",
  "1.0",
  "true",
];

/** Values that parsers often handle wrongly. */
function oddValue(dice: Dice): Json {
  switch (dice.int(9)) {
    case 0:
      return null;
    case 1:
      return dice.oneIn(2);
    case 2:
      return dice.pick([0, -1, 1e308, 2 ** 53, 0.1]);
    case 3:
      return "x".repeat(dice.pick([4_096, 4_097]));
    case 4:
      return Array.from({ length: dice.int(70) }, () => dice.pick(TEXTS));
    case 5:
      return { [dice.pick(TEXTS)]: dice.pick(TEXTS) };
    case 6:
      return nested(dice.int(40));
    default:
      return dice.pick(TEXTS) + dice.pick(TEXTS);
  }
}

function nested(depth: number): Json {
  let value: Json = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}

/** A copy of the JSON with one part replaced, removed, repeated or renamed. */
export function mutateJson(dice: Dice, json: Json): Json {
  if (typeof json !== "object" || json === null || dice.oneIn(12)) return oddValue(dice);
  if (Array.isArray(json)) {
    const at = dice.int(json.length + 1);
    const kept = json.slice(0, at);
    const rest = json.slice(at);
    if (dice.oneIn(4)) return [...kept, ...rest.slice(1)];
    if (dice.oneIn(4)) return [...kept, ...rest, ...kept];
    return rest.length === 0
      ? [...json, oddValue(dice)]
      : [...kept, mutateJson(dice, rest[0] as Json), ...rest.slice(1)];
  }
  const entries = Object.entries(json);
  if (entries.length === 0 || dice.oneIn(8)) return { ...json, [dice.pick(TEXTS)]: oddValue(dice) };
  const [key, value] = dice.pick(entries);
  const { [key]: _, ...others } = json;
  if (dice.oneIn(8)) return others;
  if (dice.oneIn(8)) return { ...others, [dice.pick(TEXTS)]: value };
  return { ...json, [key]: mutateJson(dice, value) };
}

/** The JSON as bytes, sometimes mutated. */
export function jsonBytes(dice: Dice, json: Json): Uint8Array {
  const bytes = utf8(JSON.stringify(json));
  return dice.oneIn(4) ? mutateBytes(dice, bytes, bytes) : bytes;
}
