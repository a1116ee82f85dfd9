/** What the operator can do about refused deliveries, by the code of their answer. `name`: the source's. */
export function refusalAdvice(code: string, name: string): string | null {
  return ADVICE[code]?.(name) ?? null;
}

const ADVICE: Readonly<Record<string, (name: string) => string>> = {
  signature_missing: (name) =>
    `the sender does not sign, or not as this scheme does: enter the secret there, and compare the scheme with \`npx muster webhook show ${name}\``,
  signature_invalid: (name) =>
    `the sender signs with another secret: enter this source's there, or \`npx muster webhook update ${name} --secret-file FILE\``,
  signature_stale: () =>
    "the delivery was signed more than 5 minutes ago: compare the clocks, or have the sender sign it again",
  payload_too_large: () => "have the sender send less, for example fewer events in one delivery",
  event_unmapped: (name) =>
    `\`npx muster webhook deliveries ${name}\` names the path; give it a --default, or exclude such events with --filter`,
  rate_limited: () =>
    "this address sent too many deliveries without a valid signature: mend those, which the other entries show",
  queue_full: () => "the queue is full: `npx muster tasks stats` shows what waits",
  owner_queue_full: () =>
    "the limit of waiting tasks is reached: `npx muster tasks stats` shows what waits",
  owner_bytes_full: (name) =>
    `its tasks that have not ended have too many bytes: \`npx muster webhook update ${name} --max-bytes N\``,
  storage_full: () => "the mesh's database is nearly full: cancel queued tasks, or raise its limit",
  misconfigured: (name) =>
    `the source's secret cannot be opened: set it again with \`npx muster webhook update ${name} --secret-file FILE\``,
};
