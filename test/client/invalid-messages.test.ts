import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../../src/base/json.ts";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What a mesh sends to peers, and payloads that none of these types has. */
const TYPES = [
  "welcome",
  "rejection",
  "task_offer",
  "task_return",
  "task_cancel",
  "drain",
  "task_shown",
  "sample",
  "error",
  "disconnect",
  "pong",
  "type_of_tomorrow",
  "__proto__",
];
const PAYLOADS: readonly Json[] = [null, 1, "text", true, [], [1, 2], { task_id: 1, fence: "x" }];

describe("a message of the mesh whose payload is not valid", () => {
  test.each(TYPES)("RC27 of type %s is ignored, and the session goes on", async (type) => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join({ handlers: { work: () => "done" } });
    for (const payload of PAYLOADS) session.send(type, payload);
    await vi.advanceTimersByTimeAsync(5_000);
    // An empty text and 0 are the defaults of `disconnect`.
    if (type !== "disconnect") {
      expect(mesh.eventsOf("disconnected")).toEqual([]);
      session.offer({ task_id: "00000000-0000-4000-8000-000000000001" });
      await vi.advanceTimersByTimeAsync(0);
      expect(session.payloads("task_result")).toMatchObject([{ ok: true, result: "done" }]);
    }
    expect(mesh.eventsOf("closed")).toEqual([]);
    void peer.close();
  });
});
