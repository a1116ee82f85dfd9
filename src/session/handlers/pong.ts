import { HEARTBEAT_TIMEOUT } from "../../protocol/constants.ts";
import { sampleRtt } from "../../scoring/rtt.ts";
import { withLiveness } from "../liveness.ts";
import { reportObservation, isWorthReporting } from "../observation.ts";
import { stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** The RTT is measured from the send time that the session stored, never from the echoed one. A pong without a ping is ignored. */
export const handlePong: Handler<"pong"> = (session, { replyTo }, context) => {
  const { ping, missed, suspect, heartbeats } = session.liveness;
  if (ping === null || replyTo !== ping.id) return stay(session);
  const { now, heartbeatAt } = context;
  // A peer that answers pings but no longer sends heartbeats must be pinged from now on.
  const sendsHeartbeats = heartbeatAt !== null && now - heartbeatAt <= HEARTBEAT_TIMEOUT;
  const answered = withLiveness(
    { ...session, rtt: sampleRtt(session.rtt, now - ping.sentAt) },
    { ping: null, missed: 0, heartbeats: heartbeats === true ? sendsHeartbeats : heartbeats },
  );
  const isNews = missed > 0 || suspect || isWorthReporting(answered, context);
  return isNews ? reportObservation(answered, "answered", context) : stay(answered);
};
