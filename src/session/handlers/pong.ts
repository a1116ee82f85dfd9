import { HEARTBEAT_TIMEOUT } from "../../protocol/constants.ts";
import { sampleRtt } from "../../scoring/rtt.ts";
import { withLiveness } from "../liveness.ts";
import { reportObservation, isWorthReporting } from "../observation.ts";
import { stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** The RTT is taken from the send time that we kept, never from the one that is echoed. A pong to nothing is ignored. */
export const handlePong: Handler<"pong"> = (session, { replyTo }, context) => {
  const { ping, missed, suspect, heartbeats: beats } = session.liveness;
  if (ping === null || replyTo !== ping.id) return stay(session);
  const { now, heartbeatAt: beatAt } = context;
  // Who answers and does not beat any more will have to be asked.
  const beating = beatAt !== null && now - beatAt <= HEARTBEAT_TIMEOUT;
  const answered = withLiveness(
    { ...session, rtt: sampleRtt(session.rtt, now - ping.sentAt) },
    { ping: null, missed: 0, heartbeats: beats === true ? beating : beats },
  );
  const news = missed > 0 || suspect || isWorthReporting(answered, context);
  return news ? reportObservation(answered, "answered", context) : stay(answered);
};
