/** A peer that asks for smaller frames: payloads by reference. */
import { parseJson } from "../../base/json.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import { check, type Bench, type Check } from "../check.ts";
import { expect, NotApplicable } from "../failure.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { ReadMessage } from "../session/read-message.ts";
import { join } from "../steps/join.ts";
import { begun, decided, ended, isAbout, offer, works, type Offer } from "../steps/offers.ts";

const SECTION = "protocol.md#payloads-by-reference";
/** What a Noise library takes that keeps to the standard. */
const MAX_FRAME = 65_535;
const BYTES = 1_234;
/** Its result fits every frame, so that it is sent in a message. */
const PAYLOAD = { bytes: BYTES, padding: "p".repeat(100_000) };

/** A session of a peer that has asked for smaller frames. */
async function limited(bench: Bench): Promise<MeshSession> {
  const welcome = { max_frame: MAX_FRAME };
  const session = await join(bench, { slots: 1, maxFrame: MAX_FRAME }, { welcome });
  const hello = parseJson(session.helloText) as { readonly max_frame?: unknown } | undefined;
  if (hello?.max_frame === undefined) throw new NotApplicable("the hello has no `max_frame`");
  return session;
}

/** Offers a task of the kind `big` by reference. `digestOf`: another value, whose digest the offer names. */
function refer(session: MeshSession, digestOf?: unknown): Offer {
  const { mesh, peerId } = session;
  const of = { taskId: newUuid(mesh.random), fence: 1 };
  const more = mesh.payloads.referTo(peerId, of, PAYLOAD, digestOf);
  return offer(session, "big", undefined, { ...of, more });
}

/** Whether the handler has had the payload. */
const isDone = ({ payload }: ReadMessage): boolean =>
  payload["ok"] === true && String(payload["result"]).length === BYTES;

export const MAX_FRAME_CHECKS: readonly Check[] = [
  check(
    "MF01",
    "protocol.md#smaller-frames",
    "A limit for frames in the hello is from 8,192 to 1,048,576 bytes.",
    {
      subset: "full",
      run: async (bench) => {
        const session = await limited(bench);
        const { max_frame: limit } = parseJson(session.helloText) as { readonly max_frame: number };
        const isValid = Number.isInteger(limit) && limit >= 8_192 && limit <= 1_048_576;
        expect(isValid, "8,192 to 1,048,576", session.helloText);
        await works(session);
      },
    },
  ),
  check(
    "MF02",
    SECTION,
    "A payload by reference is read with its ticket, opened, checked and handled like any other.",
    {
      subset: "full",
      seconds: 2,
      run: async (bench) => {
        const session = await limited(bench);
        const of = refer(session);
        await begun(session, of);
        const result = await ended(session, of, 15_000);
        expect(isDone(result), "the result of the payload", result.text.slice(0, 300));
      },
    },
  ),
  check(
    "MF03",
    SECTION,
    "A payload that does not match the digest of its offer is not handled: the attempt fails, for another peer.",
    {
      subset: "full",
      seconds: 2,
      run: async (bench) => {
        const session = await limited(bench);
        const { payload, text } = await ended(session, refer(session, "another value"), 15_000);
        const isRetried = payload["ok"] === false && payload["retry"] !== false;
        expect(isRetried, "ok: false, without retry: false", text.slice(0, 300));
      },
    },
  ),
  check(
    "MF04",
    SECTION,
    "An attempt whose payload is refused with lease_lost is dropped without a result.",
    {
      subset: "full",
      seconds: 3,
      run: async (bench) => {
        const session = await limited(bench);
        session.mesh.payloads.refuseNext = { code: "lease_lost", detail: "the attempt has ended" };
        const of = refer(session);
        await decided(session, of);
        const isResult = (message: ReadMessage): boolean =>
          message.type === "task_result" && isAbout(message, of);
        await session.never("no result", isResult, 1_500);
        await works(session);
      },
    },
  ),
  check("MF05", SECTION, "A payload that the mesh cannot send at present is asked for again.", {
    level: "should",
    subset: "full",
    seconds: 4,
    run: async (bench) => {
      const session = await limited(bench);
      const { payloads } = session.mesh;
      payloads.refuseNext = { code: "unavailable", detail: "not now", retryAfter: 1 };
      const result = await ended(session, refer(session), 20_000);
      expect(isDone(result), "the result of the payload", result.text.slice(0, 300));
    },
  }),
];
