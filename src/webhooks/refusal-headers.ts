/** Headers that describe a delivery and hold no secret: their values are stored with a refused delivery. */
const SHOWN: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-length",
  "content-type",
  "svix-id",
  "svix-timestamp",
  "transfer-encoding",
  "user-agent",
  "webhook-id",
  "webhook-timestamp",
  "x-event-key",
  "x-gitea-event",
  "x-github-delivery",
  "x-github-event",
  "x-github-hook-id",
  "x-github-hook-installation-target-type",
  "x-gitlab-event",
  "x-shopify-topic",
  "x-slack-request-timestamp",
  "x-slack-retry-num",
  "x-slack-retry-reason",
]);

const VALUE_CHARS_MAX = 200;
const NAME_CHARS_MAX = 100;
/** All names and values of one delivery, in characters. */
const TOTAL_CHARS_MAX = 2_000;

/**
 * The headers of a refused delivery as they are stored. Of a header that is not known to be harmless (a signature, a token, a
 * cookie, anything new) only its name and the length of its value is stored. The known ones come first, so that many others do not displace them.
 */
export function refusalHeaders(
  headers: Iterable<readonly [string, string]>,
): Readonly<Record<string, string>> {
  const shown: [string, string][] = [];
  const others: [string, string][] = [];
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (SHOWN.has(name)) shown.push([name, value.slice(0, VALUE_CHARS_MAX)]);
    else if (name.length <= NAME_CHARS_MAX) others.push([name, lengthText(value.length)]);
  }
  let chars = 0;
  const fitting = [...shown, ...others].filter(([name, value]) => {
    const fits = chars + name.length + value.length <= TOTAL_CHARS_MAX;
    if (fits) chars += name.length + value.length;
    return fits;
  });
  return Object.fromEntries(fitting);
}

const lengthText = (count: number): string =>
  `[${count} ${count === 1 ? "character" : "characters"}]`;
