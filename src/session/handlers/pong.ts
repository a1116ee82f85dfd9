import { MINUTE } from "../../base/clock.ts";
import { smoothRtt } from "../../scoring/measure.ts";
import type { Intent } from "../effects.ts";
import { stay } from "../outgoing.ts";
import type { Active } from "../state.ts";
import type { Handler } from "./handler.ts";

/** The coordinator hears of a steady peer this often, */
const TELL_INTERVAL = 5 * MINUTE;
/** or as soon as the smoothed RTT has moved by this share. */
const TELL_CHANGE = 0.25;
/** The RTT is taken from the send time that we kept, never from the one that is echoed. A pong to nothing is ignored. */
export const handlePong: Handler<"pong"> = (session, { replyTo }, { now }) => {
  if (session.ping === null || replyTo !== session.ping.id) return stay(session);
  const rttMs = smoothRtt(session.rttMs, Math.max(0, now - session.ping.sentAt));
  const answered = { ...session, ping: null, missed: 0, rttMs };
  if (session.missed === 0 && !worthTelling(session, rttMs, now)) return stay(answered);
  return stay({ ...answered, told: { at: now, rttMs } }, observation(session, rttMs));
};

const worthTelling = ({ told }: Active, rttMs: number, now: number): boolean =>
  now - told.at >= TELL_INTERVAL ||
  Math.abs(rttMs - told.rttMs) > TELL_CHANGE * Math.max(told.rttMs, 1);

const observation = ({ claim, epoch }: Active, rttMs: number): Intent => ({
  type: "tell",
  messageId: null,
  note: { name: "observe", input: { peerId: claim.peerId, epoch, event: "answered", rttMs } },
});
