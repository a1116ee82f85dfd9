import { firstIssue } from "../../protocol/envelope.ts";
import { Rtts } from "../../protocol/messages.ts";
import { OptionsError } from "../errors.ts";

/** A round trip that a peer measured to another. */
export interface MeasuredRtt {
  readonly peerId: string;
  /** In milliseconds, 0 to 10,000. */
  readonly rttMs: number;
}

/** What is sent of measurements; throws an `OptionsError` when the mesh would not take it. */
export function rttReport(measured: readonly MeasuredRtt[]): Rtts {
  const rtts = measured.map(({ peerId, rttMs }) => ({ peer_id: peerId, rtt_ms: rttMs }));
  const report = Rtts.safeParse({ rtts });
  if (!report.success) throw new OptionsError(`rtts: ${firstIssue(report.error)}`);
  return report.data;
}
