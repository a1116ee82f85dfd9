import { errorReply } from "../messages.ts";
import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** The peer reports RTTs to other peers. Only over muster.2: a replayed 1.0 frame would count again. */
export const handleRtts: Handler<"rtts"> = (session, { id, payload }, context) => {
  const { claim, channel, epoch } = session;
  if (channel.protocol !== "muster/2") {
    const fault = {
      code: "not_permitted",
      detail: "RTTs can be reported only over muster.2",
    } as const;
    return stay(session, errorReply(context, session, fault, id));
  }
  const rtts = payload.rtts.map(({ peer_id, rtt_ms }) => ({ to: peer_id, rttMs: rtt_ms }));
  const input = { peerId: claim.peerId, epoch, rtts };
  return stay(session, command({ name: "report_rtts", input }, id));
};
