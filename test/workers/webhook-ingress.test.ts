import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { call, problemOf, streamOf, type Call } from "./http.ts";
import { from, isolate } from "./isolate.ts";
import { deliver, register, standard, without } from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added"}';
const unsigned = async (): Promise<Call> => without(await standard(EVENT), "webhook-signature");

describe("the body of a delivery", () => {
  /** A body that counts how often it is read. */
  function watchedBody() {
    let reads = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          reads++;
          controller.enqueue(new Uint8Array(64 * 1_024));
        },
      },
      { highWaterMark: 0 },
    );
    return { body, reads: () => reads };
  }

  it("WH30 is not read before its source is known and its headers have a signature", async () => {
    await register("files");
    const { send } = isolate();
    for (const [name, delivery] of [
      ["nobody", await standard(EVENT)],
      ["files", await unsigned()],
      ["not a slug", await standard(EVENT)],
    ] as const) {
      const { body, reads } = watchedBody();
      const path = `/v1/webhooks/${encodeURIComponent(name)}`;
      const reply = await send("POST", path, from("192.0.2.1", { ...delivery, raw: body }));
      expect([reply.status, reads()]).toEqual([name === "files" ? 401 : 404, 0]);
    }
  });

  it("WH30 is read up to its limit, also without a length", async () => {
    await register("files");
    const { body, reads } = watchedBody();
    const reply = await deliver("files", { ...(await standard(EVENT)), raw: body });
    problemOf(reply, "payload_too_large");
    expect(reads()).toBeLessThan(20);
    const whole = { ...(await standard(EVENT)), raw: streamOf(EVENT.slice(0, 5), EVENT.slice(5)) };
    expect((await deliver("files", whole)).status).toBe(202);
  });
});

describe("a source that another isolate changes", () => {
  const OTHER = utf8("another secret of 24 bytes");
  const otherSecret = `whsec_${btoa("another secret of 24 bytes")}`;
  const files = (send: ReturnType<typeof isolate>["send"], delivery: Call) =>
    send<{ code?: string }>("POST", "/v1/webhooks/files", delivery);

  it("WH31 is found as soon as it is created", async () => {
    const { send } = isolate();
    expect((await files(send, await standard(EVENT))).status).toBe(404);
    await register("files");
    expect((await files(send, await standard(EVENT))).status).toBe(202);
  });

  it("WH31 accepts its new secret and refuses its old one from then on", async () => {
    await register("files");
    const { send } = isolate();
    expect((await files(send, await standard(EVENT))).status).toBe(202);
    await register("files", { secret: otherSecret });
    expect((await files(send, await standard(EVENT, { key: OTHER }))).status).toBe(202);
    expect((await files(send, await standard(EVENT))).body.code).toBe("signature_invalid");
  });

  it("WH31 refuses its old secret, also if nothing was signed with the new one yet", async () => {
    await register("files");
    const { send } = isolate();
    expect((await files(send, await standard(EVENT, { id: "msg_1" }))).status).toBe(202);
    await register("files", { secret: otherSecret });
    expect((await files(send, await standard(EVENT, { id: "msg_2" }))).body.code).toBe(
      "signature_invalid",
    );
  });

  it("WH31 is refused as soon as it is removed", async () => {
    await register("files");
    const { send } = isolate();
    expect((await files(send, await standard(EVENT))).status).toBe(202);
    await call("DELETE", "/v1/webhook-sources/files");
    expect((await files(send, await standard(EVENT))).status).toBe(404);
  });
});
