/** Collects what is written to stdout and stderr, until `end` is called. */
function collectOutput(): { readonly end: () => string } {
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write.bind(stream));
  let text = "";
  for (const stream of streams)
    stream.write = (chunk: string | Uint8Array) => {
      text += String(chunk);
      return true;
    };
  return {
    end: () => {
      for (const [n, stream] of streams.entries()) Object.assign(stream, { write: originals[n] });
      return text;
    },
  };
}

/** What the CLI writes while `act` runs, on both streams together. */
export function written(act: () => void): string {
  const output = collectOutput();
  try {
    act();
  } finally {
    output.end();
  }
  return output.end();
}

/** The same while an asynchronous `act` runs. */
export async function writtenDuring(act: () => Promise<unknown>): Promise<string> {
  const output = collectOutput();
  try {
    await act();
  } finally {
    output.end();
  }
  return output.end();
}

/**
 * What a terminal acts on, or what changes how the text around it is shown; not the newline, which ends the lines of the CLI. Written
 * as ranges, and not as in the CLI, so that a mistake there is not repeated here.
 */
const HOSTILE_RANGES = [
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200b],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0001, 0xe007f],
] as const;

const isHostile = (codePoint: number): boolean =>
  HOSTILE_RANGES.some(([first, last]) => codePoint >= first && codePoint <= last);

/** The hostile characters of the text and its lone surrogates, in hex. */
export const hostileIn = (text: string): readonly string[] =>
  Array.from(text, (character) => character.codePointAt(0) ?? 0)
    .filter((codePoint) => isHostile(codePoint) || (codePoint >= 0xd800 && codePoint <= 0xdfff))
    .map((codePoint) => codePoint.toString(16));

/** Sequences that terminals act on: colors, titles, the clipboard (OSC 52), cursor moves, C1 forms, reversed text. */
export const ATTACKS = [
  "\u001b[2J\u001b[H",
  "\u001b]52;c;ZXZpbA==\u0007",
  "\u001b]0;title\u001b\\",
  "\u009b31m",
  "\u009d0;title\u009c",
  "\u001bP+q544e\u001b\\",
  "\r\u001b[K",
  "\u0008\u0008\u0008",
  "\u202egpj.exe\u202c",
  "\u2066hidden\u2069",
  "\u2028",
  "\u2029",
  "\u0085",
  "\u000b",
  "\nmuster: forged",
  "\r\nmuster: forged",
  "\n    at forged (file:///forged.ts:1:1)",
  "\ud800",
  "\udfff",
  "\u{e0041}\u{e007f}",
  "\u200b",
] as const;

/** Every hostile character alone. */
export const HOSTILE_CHARACTERS = HOSTILE_RANGES.flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, n) => String.fromCodePoint(first + n)),
);
