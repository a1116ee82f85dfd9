import { describe, expect, it } from "vitest";
import { AlertSender } from "../../durable/alert-sender.ts";
import type { AlertRequest } from "../../src/contract/alerts.ts";
import type { Answer } from "../../src/webhooks/index.ts";

const request = (receiver: string, id: string): AlertRequest => ({
  id,
  receiver,
  url: `https://${receiver}.example/hook`,
  headers: {},
  body: "{}",
  timeoutMs: 15_000,
});

describe("the sender of alerts", () => {
  it("EV36 sends one request to each receiver at a time, and a dead one delays no other", async () => {
    const waiting = [
      request("dead", "1"),
      request("dead", "2"),
      request("well", "3"),
      request("well", "4"),
    ];
    const answered: [string, number | null][] = [];
    let die = (): void => {};
    const dead = new Promise<Answer>((_, reject) => {
      die = () => reject(new Error("the session's object is gone"));
    });
    const sender = new AlertSender({
      claim(inProgress) {
        const index = waiting.findIndex(({ receiver }) => !inProgress.includes(receiver));
        return waiting.splice(index, index < 0 ? 0 : 1)[0] ?? null;
      },
      send: ({ receiver }) =>
        receiver === "dead"
          ? dead
          : Promise.resolve({ status: 200, error: null, retryAfter: null }),
      answered: ({ id }, { status }) => {
        answered.push([id, status]);
        if (id === "4") die();
      },
    });
    await sender.run();
    // What is not answered is due again later.
    expect(answered).toEqual([
      ["3", 200],
      ["4", 200],
    ]);
    expect(waiting).toEqual([]);
  });
});
