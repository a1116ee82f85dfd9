/** A response is valid only now and for this caller: it must not be cached, and browsers must not render it as a page. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=15552000",
  "X-Content-Type-Options": "nosniff",
};

export type SafeHeaders = typeof HEADERS;

/** Sets the headers that every response has. Those of a page are its `own`. */
export function setSafeHeaders(headers: Headers, own: Partial<SafeHeaders> = {}): void {
  for (const [name, value] of Object.entries({ ...HEADERS, ...own })) headers.set(name, value);
}
