import { assert, constantFrom, integer, nat, property, string, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { TASK_ERROR_CHARS_MAX } from "../../src/protocol/constants.ts";
import {
  GO_P2P_REPLIES,
  GO_P2P_REQUESTS,
  type GoP2pReply,
  type GoP2pRequest,
} from "../../src/protocol/messages.ts";
import { replyOutcome, type ReplyOutcome } from "../../src/session/reply-outcome.ts";
import { exactJsonOf, textOfJson } from "../../src/base/json-text/json-text.ts";

const REPLIES = [...new Set<GoP2pReply>(Object.values(GO_P2P_REPLIES)), "error"] as const;

const succeeds = (result: unknown): ReplyOutcome => ({ ok: true, result: result as never });
const retried = (error: string): ReplyOutcome => ({ ok: false, error, retry: true });
const final = (error: string): ReplyOutcome => ({ ok: false, error, retry: false });

/** What each type of reply may contain, with the outcome of the request that it answers. */
const MEANINGS: { readonly [Type in GoP2pReply]: readonly (readonly [unknown, ReplyOutcome])[] } = {
  stats: [
    [{ nodeId: "n", miners: [], uptime: 7 }, succeeds({ nodeId: "n", miners: [], uptime: 7 })],
    [{}, succeeds({})],
    [{ success: false }, succeeds({ success: false })],
    [null, retried("the stats is not an object")],
    [[], retried("the stats is not an object")],
  ],
  logs: [
    [
      { minerName: "m", lines: ["a"], hasMore: true },
      succeeds({ minerName: "m", lines: ["a"], hasMore: true }),
    ],
    ["lines", retried("the logs is not an object")],
    [null, retried("the logs is not an object")],
  ],
  miner_ack: [
    [{ success: true, name: "m" }, succeeds({ success: true, name: "m" })],
    [{ success: true, error: "but" }, succeeds({ success: true, error: "but" })],
    [{ success: false, error: "miner not found: x" }, retried("miner_ack: miner not found: x")],
    [{ success: false, error: "" }, retried("miner_ack: no reason given")],
    [{ success: false, error: 7 }, retried("miner_ack: no reason given")],
    [{ success: "true" }, retried("miner_ack: no reason given")],
    [{}, retried("miner_ack: no reason given")],
    [null, retried("the miner_ack is not an object")],
  ],
  deploy_ack: [
    [{ success: true, name: "x" }, succeeds({ success: true, name: "x" })],
    [{ success: false, error: "disk full" }, retried("deploy_ack: disk full")],
    [{ success: false }, retried("deploy_ack: no reason given")],
    [true, retried("the deploy_ack is not an object")],
  ],
  error: [
    // Generation 1.
    [{ code: 1000, message: "m" }, retried("1000: m")],
    [{ code: 1001, message: "m" }, final("1001: m")],
    [{ code: 1002, message: "m" }, retried("1002: m")],
    [{ code: 1003, message: "m" }, retried("1003: m")],
    [{ code: 1004, message: "m" }, retried("1004: m")],
    [{ code: 1005, message: "m" }, retried("1005: m")],
    // Generation 2.
    [{ code: 0, message: "m" }, retried("0: m")],
    [{ code: 1, message: "m" }, retried("1: m")],
    [{ code: 2, message: "m" }, retried("2: m")],
    [{ code: 3, message: "m" }, retried("3: m")],
    [
      {
        code: 4,
        message:
          "Worker.handleStartMiner: invalid start miner payload: json: cannot unmarshal object",
      },
      retried(
        "4: Worker.handleStartMiner: invalid start miner payload: json: cannot unmarshal object",
      ),
    ],
    [{ code: 5, message: "m" }, final("5: m")],
    [{ code: 6, message: "m" }, retried("6: m")],
    // Neither.
    [{ code: 77, message: "m" }, retried("77: m")],
  ],
};

const answers = (request: GoP2pRequest, type: GoP2pReply): boolean =>
  type === "error" || type === GO_P2P_REPLIES[request];

describe("what a go-p2p node's reply means for the attempt", () => {
  test.each(
    GO_P2P_REQUESTS.flatMap((request) =>
      REPLIES.flatMap((type) =>
        MEANINGS[type].map(([payload, outcome]) => ({ request, type, payload, outcome })),
      ),
    ),
  )("GP30 $request answered by $type $payload", ({ request, type, payload, outcome }) => {
    const expected = answers(request, type) ? outcome : null;
    const sent = type === "error" ? payload : exactJsonOf(payload);
    const read = replyOutcome(request, { type, payload: sent });
    expect(
      read?.ok ? { ...read, result: JSON.parse(textOfJson(read.result)) as unknown } : read,
    ).toEqual(expected);
  });

  test("GP31 no code of a node but those for a wrong request is final", () => {
    assert(
      property(integer(), string(), (code, message) => {
        const outcome = replyOutcome("deploy", { type: "error", payload: { code, message } });
        expect(outcome).toMatchObject({ ok: false, retry: code !== 1001 && code !== 5 });
      }),
    );
  });

  test("GP32 whatever a node writes, the error that is kept is well-formed text within the limit", () => {
    const text = tuple(string({ unit: "binary", minLength: 1 }), nat(3_000)).map(([part, length]) =>
      part.repeat(Math.ceil(length / part.length)),
    );
    assert(
      property(text, constantFrom("miner_ack", "deploy_ack", "error"), (error, type) => {
        const request = type === "deploy_ack" ? "deploy" : "start_miner";
        const payload =
          type === "error"
            ? { code: 4, message: error.slice(0, 2_000) }
            : exactJsonOf({ success: false, error });
        const outcome = replyOutcome(request, { type, payload });
        if (outcome === null || outcome.ok) throw new Error("not a failure");
        expect(outcome.error.length).toBeLessThanOrEqual(TASK_ERROR_CHARS_MAX);
        expect(outcome.error.isWellFormed()).toBe(true);
      }),
    );
  });
});
