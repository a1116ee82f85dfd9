/** An estimate of a round-trip time, in milliseconds. */
export interface RttEstimate {
  /** Smoothed (RFC 6298's SRTT). */
  readonly smoothedMs: number;
  /** Mean deviation from it (RFC 6298's RTTVAR). */
  readonly varianceMs: number;
  /** The least RTT ever measured: the path without queueing. */
  readonly minMs: number;
  readonly samples: number;
}

/** Weights of a new sample in the smoothed RTT and in its variance (RFC 6298 section 2.3: alpha = 1/8, beta = 1/4). */
const SMOOTHED_GAIN = 1 / 8;
const VARIANCE_GAIN = 1 / 4;

/**
 * The estimate after one more sample (RFC 6298 sections 2.2 and 2.3). The first sample is the smoothed value, with
 * half of it as variance; later the variance moves by the distance from the old smoothed value. A clock that was set
 * back does not make a negative time.
 */
export function sampleRtt(before: RttEstimate | null, sampleMs: number): RttEstimate {
  const sample = Math.max(0, sampleMs);
  if (before === null) {
    return { smoothedMs: sample, varianceMs: sample / 2, minMs: sample, samples: 1 };
  }
  const { smoothedMs, varianceMs, minMs, samples } = before;
  return {
    smoothedMs: smoothedMs + SMOOTHED_GAIN * (sample - smoothedMs),
    varianceMs: varianceMs + VARIANCE_GAIN * (Math.abs(smoothedMs - sample) - varianceMs),
    minMs: Math.min(minMs, sample),
    samples: samples + 1,
  };
}
