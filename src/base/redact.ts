/** A URL anywhere in a text. The length of the scheme is bounded, so that a long text is read once and not from each letter. */
const URL_TEXT = /([a-z][a-z\d+.-]{0,31}:\/\/)([^\s"'<>]*)/gi;
/** A path alone, as in the log line of a request. */
const PATH_TEXT = /(?<=^|[\s"'(])\/[^\s"'<>]*/g;
/** An API token or a join key (`src/access/credential.ts`), also one that follows other text without a space. */
const CREDENTIAL = /(mst|mjk)_[\da-f]{16,}/gi;

/**
 * The text without what authorizes: user, query and fragment of each URL, tokens and join keys. For logs and error texts. A
 * query holds the proof of a connection, a fragment the join key of a link, and either the keys that others put into their URLs.
 */
export const redact = (text: string): string =>
  text
    .replace(URL_TEXT, (_url, scheme: string, rest: string) => scheme + address(rest))
    .replace(PATH_TEXT, (path) => before("?", path))
    .replace(CREDENTIAL, "$1_…");

/**
 * The same for one text that should be a URL and may not be: also without a scheme, or with a character that no URL has, what
 * stands before an `@` is a user or password.
 */
export const redactUrl = (text: string): string =>
  redact(text.replace(/[?#].*$/s, "").replace(/^([a-z][a-z\d+.-]{0,31}:[\\/]*)?.*@/is, "$1"));

/** What was thrown, for a log. */
export const redactedError = (thrown: unknown): string => redact(String(thrown));

/** Host and path of a URL without its scheme. */
function address(rest: string): string {
  const shown = before("#", before("?", rest));
  const host = before("/", shown);
  return shown.slice(host.lastIndexOf("@") + 1);
}

function before(mark: string, text: string): string {
  const at = text.indexOf(mark);
  return at === -1 ? text : text.slice(0, at);
}
