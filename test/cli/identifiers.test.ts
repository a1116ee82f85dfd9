import { describe, expect, test } from "vitest";
import { peerId, peerIdOrKey, publicKey, taskId } from "../../src/cli/identifiers.ts";
import { toBase64 } from "../../src/base/bytes.ts";
import { muster } from "./command-run.ts";
import { EVERY_CALL, KEY, PEER, TASK } from "./every-call.ts";

const BYTES = new Uint8Array(32).fill(0x12);

describe("CL34 an ID or a key is read in each form that people have it in", () => {
  test.each([
    [
      "an ID in upper case",
      () => peerId("ABCDEF".padEnd(32, "0"), "PEER"),
      "abcdef".padEnd(32, "0"),
    ],
    ["a task ID in upper case", () => taskId(TASK.toUpperCase(), "ID"), TASK],
    ["a key in hex", () => publicKey(KEY, "KEY"), KEY],
    ["a key in base64", () => publicKey(toBase64(BYTES), "KEY"), KEY],
    ["a key where an ID may be, too", () => peerIdOrKey(toBase64(BYTES)), KEY],
    ["an ID where a key may be, too", () => peerIdOrKey(` ${PEER}`), PEER],
  ])("%s", (_, read, expected) => {
    expect(read()).toBe(expected);
  });

  // The highest bit set, the prime itself, and more than the prime.
  test.each(["12".repeat(31) + "92", `ed${"ff".repeat(30)}7f`, "ff".repeat(32)])(
    "the key %s is not in its canonical encoding: to revoke it would bar nobody",
    (key) => {
      for (const read of [peerIdOrKey, (text: string) => publicKey(text, "KEY")])
        expect(() => read(key)).toThrow(/not the canonical encoding/);
    },
  );
});

const BAD = [
  "x",
  "",
  "0".repeat(31),
  "0".repeat(33),
  `${"0".repeat(31)}g`,
  "../tokens",
  TASK.slice(1),
];

describe("CL34 of what is neither, the error names the form, before any request", () => {
  const identified = EVERY_CALL.filter(([, argv]) =>
    argv.some((word) => [PEER, TASK, KEY].includes(word)),
  )
    // Tokens, join keys and dials have IDs of other forms.
    .filter(([name]) => !/^(?:token|join-key|dial)/.test(name));

  test.each(identified)("%s", async (_, argv) => {
    expect(identified.length).toBeGreaterThan(15);
    for (const bad of BAD) {
      const words = argv.map((word) => ([PEER, TASK, KEY].includes(word) ? bad : word));
      const { code, err } = await muster(...words, "--url", "http://127.0.0.1:1");
      expect(code).toBe(2);
      expect(err).toMatch(/32 hex characters|64 hex characters|a UUID such as/);
      expect(err).toContain(`"${bad}"`);
    }
  });

  test.each([
    ["assign", "a", "--peer"],
    ["assign", "a", "--avoid"],
    ["tasks", "list", "--peer"],
    ["tasks", "cancel", "--yes", "--peer"],
  ])("%s %s %s", async (...argv) => {
    const { code, err } = await muster(...argv, "x", "--url", "http://127.0.0.1:1");
    expect(code).toBe(2);
    expect(err).toContain(`${argv.at(-1)} must be the ID of a peer, 32 hex characters, not "x"`);
  });
});
