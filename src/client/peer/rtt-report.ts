import { readShape } from "../../base/shape/read-shape.ts";
import type { Rtts } from "../../protocol/messages.ts";
import { Rtts as RttsShape } from "../../protocol/shapes/messages.ts";
import { OptionsError } from "../errors.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

/** A round-trip time that a peer has measured to another peer. */
export interface MeasuredRtt {
  readonly peerId: string;
  /** In milliseconds, 0 to 10,000. */
  readonly rttMs: number;
}

const MEASURED_RTT: OptionNames<MeasuredRtt> = { peerId: "string!", rttMs: "number!" };

/** The payload of `rtts`; throws an `OptionsError` if a measurement is not valid. */
export function rttsPayload(measured: readonly MeasuredRtt[]): Rtts {
  for (const rtt of measured)
    refuseUnknownOptions("an entry of peer.reportRtts", rtt, MEASURED_RTT);
  const rtts = measured.map(({ peerId, rttMs }) => ({ peer_id: peerId, rtt_ms: rttMs }));
  const report = readShape(RttsShape, { rtts });
  if (!report.ok) throw new OptionsError(`rtts: ${report.error}`);
  return report.value;
}
