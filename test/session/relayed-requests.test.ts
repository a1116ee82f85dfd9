import { err } from "../../src/base/result.ts";
import { describe, expect, test } from "vitest";
import { exactJsonOf, NULL_JSON } from "../../src/base/json-text/json-text.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import type { SessionEvent, Step } from "../../src/session/effects.ts";
import type { Active } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { fromUtf8, toBase64 } from "../../src/base/bytes.ts";
import { readBundle } from "../../src/crypto/deploy-bundle.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { DEPLOY_SEALED_BYTES_MAX, FRAME_BYTES_MAX } from "../../src/protocol/constants.ts";
import { openStim } from "../crypto/open-stim.ts";
import { bytesOf, present } from "../must.ts";
import {
  active,
  MESH,
  at,
  joined,
  messages,
  commands,
  said,
  START,
  answerTo,
  PEER,
} from "./driver.ts";

const NOW = START + 100;
const offer = (fence: number, kind = "go-p2p/get_stats"): TaskOffer => ({
  task_id: crypto.randomUUID(),
  fence,
  kind,
  payload: exactJsonOf({ verbose: true }),
  attempt: 1,
  lease_seconds: 60,
});
const offered = (session: Active, task: TaskOffer): Step =>
  step(session, { type: "offer", offer: task }, at(NOW));
const replied = (session: Active, type: string, payload: never, replyTo: string): Step =>
  step(session, said(type, payload, { replyTo }), at(NOW));

describe("a go-p2p request that carries a task to a plain go-p2p node", () => {
  test("AS4 the offer counts as accepted once the request is sent", () => {
    const task = offer(7);
    const sent = offered(joined({ speaksMuster: false }), task);
    expect(messages(sent.effects)).toMatchObject([
      { type: "get_stats", payload: { verbose: true } },
    ]);
    expect(commands(sent.effects)).toMatchObject([
      { name: "accept_task", input: { taskId: task.task_id, fence: 7, epoch: 3 } },
    ]);
  });

  test("GP33 the bundle of a deploy is sealed with the secret of this node and the mesh, for a relayed request, too", () => {
    const session = joined({ speaksMuster: false });
    const payload = { type: "profile", profile: { pool: "a" } };
    const id = crypto.randomUUID();
    const requests = [
      step(
        session,
        { type: "offer", offer: { ...offer(7, "go-p2p/deploy"), payload: exactJsonOf(payload) } },
        at(NOW),
      ),
      step(
        session,
        { type: "call", id, request: "deploy", payload: exactJsonOf(payload) },
        at(NOW),
      ),
    ];
    const secret = present(sharedSecret(PEER.privateKey, MESH.keys.publicKey));
    for (const { effects } of requests) {
      const sent = present(messages(effects)[0]).payload as { data: string };
      const { config } = openStim(toBase64(secret), bytesOf(sent.data));
      expect(fromUtf8(config)).toBe('{"pool":"a"}');
    }
  });

  test("GP33 a peer that speaks Muster gets the bundle as it was given", () => {
    const payload = { type: "profile", profile: { pool: "a" } };
    const sent = offered(joined(), { ...offer(1, "go-p2p/deploy"), payload: exactJsonOf(payload) });
    expect(messages(sent.effects)).toMatchObject([{ type: "task_offer", payload: { payload } }]);
  });

  test("GP35 the largest bundle fits into a frame", () => {
    const content = new Uint8Array(Math.floor((DEPLOY_SEALED_BYTES_MAX - 1_900) / 512) * 512);
    const files = { xmrig: toBase64(content) };
    const payload = { type: "miner", name: "x".repeat(63), files };
    expect(readBundle(payload).ok).toBe(true);
    const { effects } = offered(joined({ speaksMuster: false }), {
      ...offer(7, "go-p2p/deploy"),
      payload: exactJsonOf(payload),
    });
    const [sent] = effects.filter((effect) => effect.type === "send");
    expect(present(sent).frame.length).toBeGreaterThan(0.99 * FRAME_BYTES_MAX);
    expect(present(sent).frame.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
  });

  test("AS4 an offer is refused when its kind names no go-p2p request", () => {
    const sent = offered(joined({ speaksMuster: false }), offer(1, "echo"));
    expect(messages(sent.effects)).toEqual([]);
    expect(commands(sent.effects)).toMatchObject([{ name: "refuse_task" }]);
  });

  test("AS4 a peer that speaks Muster receives task_offer, whatever the kind", () => {
    const sent = offered(joined(), offer(1));
    expect(messages(sent.effects)).toMatchObject([{ type: "task_offer" }]);
    expect(commands(sent.effects)).toEqual([]);
  });

  test("HS16 a request is outstanding until its reply and no longer", () => {
    const task = offer(7);
    const sent = offered(joined({ speaksMuster: false }), task);
    const { id } = present(messages(sent.effects)[0]);
    const answered = replied(active(sent), "stats", { uptime: 1 } as never, id);
    expect(commands(answered.effects)).toEqual([
      {
        name: "finish_task",
        input: {
          peerId: active(sent).claim.peerId,
          epoch: 3,
          outcome: {
            task_id: task.task_id,
            fence: 7,
            ok: true,
            result: exactJsonOf({ uptime: 1 }),
          },
          forPeer: true,
        },
      },
    ]);
    expect(active(answered).taskRequests).toEqual([]);
    expect(replied(active(answered), "stats", {} as never, id).effects).toEqual([]);
  });

  test("HS16 of several outstanding requests the reply answers its own", () => {
    const first = offered(joined({ speaksMuster: false }), offer(1));
    const second = offer(2, "go-p2p/get_logs");
    const both = offered(active(first), second);
    const { id } = present(messages(both.effects)[0]);
    const answered = replied(active(both), "logs", [] as never, id);
    expect(commands(answered.effects)).toMatchObject([
      { input: { outcome: { task_id: second.task_id, fence: 2 } } },
    ]);
    expect(active(answered).taskRequests).toHaveLength(1);
  });

  test("HS16 a request is no longer outstanding once its task is canceled", () => {
    const task = offer(7);
    const sent = active(offered(joined({ speaksMuster: false }), task));
    const cancel = { type: "cancel", taskId: task.task_id, reason: "" } as const;
    expect(active(step(sent, { ...cancel, fence: 6 }, at(NOW))).taskRequests).toHaveLength(1);
    expect(active(step(sent, { ...cancel, fence: 7 }, at(NOW))).taskRequests).toEqual([]);
  });

  test("HS19 the newest sixteen requests are kept, so that they fit the attachment", () => {
    let session = joined({ speaksMuster: false });
    for (let fence = 1; fence <= 20; fence++) session = active(offered(session, offer(fence)));
    expect(session.taskRequests.map(({ fence }) => fence)).toEqual(
      Array.from({ length: 16 }, (_, index) => index + 5),
    );
  });
});

describe("a go-p2p request of an HTTP caller", () => {
  const ID = "0b9f3a5e-6a52-4f0e-8d3b-2f1c6f0f8a11";
  const called = (session: Active): Active =>
    active(
      step(session, { type: "call", id: ID, request: "get_logs", payload: NULL_JSON }, at(NOW)),
    );
  const answers = ({ effects }: Step) => effects.filter(({ type }) => type === "call_answered");

  test.for([true, false])(
    "AS22 a request is sent under its own ID to any peer (peer speaks Muster: %s)",
    (speaksMuster) => {
      const event = {
        type: "call",
        id: ID,
        request: "get_logs",
        payload: exactJsonOf({ lines: 3 }),
      } as const;
      const { effects } = step(joined({ speaksMuster }), event, at(NOW));
      expect(messages(effects)).toMatchObject([
        { id: ID, type: "get_logs", payload: { lines: 3 } },
      ]);
    },
  );

  test("AS22 a request is answered once, by a reply of the right type that names it, or by an error", () => {
    const session = called(joined());
    const reply = (from: Active, type: string, id = ID) =>
      replied(from, type, { code: 1004, message: "no" } as never, id);
    expect(answers(reply(session, "stats"))).toEqual([]);
    expect(answers(reply(session, "logs", crypto.randomUUID()))).toEqual([]);
    const first = reply(session, "logs");
    expect(answers(first)).toMatchObject([{ callId: ID, reply: { type: "logs" } }]);
    expect(answers(reply(active(first), "logs"))).toEqual([]);
    expect(answers(reply(session, "error"))).toMatchObject([{ reply: { type: "error" } }]);
  });
});

describe("a worker that reports on an attempt whose lease it has lost", () => {
  const about = { task_id: crypto.randomUUID(), fence: 4 };
  const attempt = { peerId: PEER.id, epoch: 3, taskId: about.task_id, fence: about.fence };
  const refused = (event: SessionEvent) => messages(step(joined(), event, at(NOW)).effects);
  const error = (code: "lease_lost" | "unavailable") => err({ code, detail: "too late" });
  const id = crypto.randomUUID();

  test("AS21 the worker receives the reason and task_cancel", () => {
    const outcome = { ...about, ok: true, result: exactJsonOf(1) } as const;
    const events = [
      answerTo("accept_task", attempt, error("lease_lost"), id),
      answerTo("progress_task", { ...attempt, progress: null }, error("lease_lost"), id),
      answerTo("refuse_task", { ...attempt, reason: "" }, error("lease_lost"), id),
      answerTo("finish_task", { peerId: PEER.id, epoch: 3, outcome }, error("lease_lost"), id),
    ];
    for (const event of events) {
      expect(refused(event)).toMatchObject([
        { type: "error", replyTo: id },
        { type: "task_cancel", payload: { ...about, reason: "too late" } },
      ]);
    }
  });

  test("AS21 no task_cancel is sent for any other error", () => {
    const unavailable = answerTo("accept_task", attempt, error("unavailable"), id);
    expect(refused(unavailable)).toMatchObject([{ type: "error" }]);
    const rtts = { peerId: PEER.id, epoch: 3, rtts: [] };
    const other = answerTo("report_rtts", rtts, error("lease_lost"), id);
    expect(refused(other)).toMatchObject([{ type: "error" }]);
  });
});
