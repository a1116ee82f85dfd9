/** A response is valid only now and for this caller: it must not be cached, and browsers must not render it as a page. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=15552000",
  "X-Content-Type-Options": "nosniff",
};

/** Sets the headers that every response has. */
export function setSafeHeaders(headers: Headers): void {
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
}
