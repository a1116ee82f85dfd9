/** The faults that the small peer can have, and the check that names each. */
export const FAULTS = {
  "no-subprotocol": "UP02",
  "a-parameter-too-many": "UP03",
  "proof-for-another-host": "UP05",
  "old-time": "UP06",
  "no-backoff": "UP09",
  "one-ephemeral-key": "HK04",
  "any-mesh-key": "HK05",
  "comes-back-after-4403": "HK14",
  "one-slot": "HF04",
  "one-message-id": "ME02",
  "wrong-from": "ME03",
  "ends-at-an-unknown-type": "ME06",
  "pong-without-reply-to": "ME07",
  "repeats-a-counter": "ME12",
  "accepts-at-the-end": "WT03",
  "takes-any-kind": "WT06",
  "never-renews": "WT07",
  "ignores-cancel": "WT09",
  "keeps-the-old-fence": "WT12",
  "takes-older-offers": "WT13",
  "more-than-its-slots": "WS01",
  "forgets-results": "CN02",
  "forgets-what-runs": "RX03",
  "ignores-its-position": "RX07",
  "never-heartbeats": "HB01",
  "sends-any-size": "LI04",
  "no-message-limit": "LI06",
  "skips-frames-that-do-not-open": "HM01",
  "takes-repeated-frames": "HM04",
  "takes-names-of-objects": "HM09",
} as const;

export type Fault = keyof typeof FAULTS;

export const hasFault = (given: string | undefined, fault: Fault): boolean => given === fault;
