import { describe, expect, test } from "vitest";
import { fromUtf8 } from "../../src/base/bytes.ts";
import { helloBytes } from "../../src/client/connection/hello.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { HELD_TASKS_MAX, HELLO_BYTES_MAX } from "../../src/protocol/constants.ts";
import { Hello } from "../../src/protocol/messages.ts";

const held = Array.from({ length: 2 * HELD_TASKS_MAX }, () => ({
  task_id: crypto.randomUUID(),
  fence: 17,
}));

/** The hello of a peer with so many labels and twice as many kinds, all of the maximum length. */
const helloOf = (labels: number): { bytes: Uint8Array; hello: Hello } => {
  const capabilities = Array.from({ length: labels }, (_, n) => String(n).padEnd(64, "x"));
  const hello = { keys: generateIdentity(), name: "n".repeat(64), role: "worker" } as const;
  const kinds = Array.from({ length: 2 * labels }, (_, n) => String(n).padEnd(64, "k"));
  const more = {
    capabilities,
    kinds,
    slots: 64,
    prefetch: true,
    createdAt: "2026-01-01T00:00:00Z",
  };
  const bytes = helloBytes({
    profile: { ...hello, ...more },
    joinKey: "mjk_".padEnd(60, "k"),
    heldTasks: held,
  });
  return { bytes, hello: Hello.parse(JSON.parse(fromUtf8(bytes) ?? "")) };
};

describe("the hello of a muster.2 handshake", () => {
  test("AS20 names at most as many held attempts as the mesh accepts", () => {
    expect(helloOf(0).hello.held).toHaveLength(HELD_TASKS_MAX);
  });

  test("NX4 fits its frame for any profile; if the held attempts do not fit, it leaves them out", () => {
    const { bytes, hello } = helloOf(32);
    expect(hello.held).toBeUndefined();
    // With the static key and two tags, as in the third message of Noise XX.
    expect(bytes.length + 32 + 2 * 16).toBeLessThanOrEqual(HELLO_BYTES_MAX);
  });
});
