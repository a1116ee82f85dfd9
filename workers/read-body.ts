import { concat, type Bytes } from "../src/base/bytes.ts";

/** The body of a request; null if it has more bytes than `max`, of which no more are then read. */
export async function readBody(request: Request, max: number): Promise<Bytes | null> {
  if (Number(request.headers.get("Content-Length") ?? 0) > max) return null;
  const reader = request.body?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) return concat(...chunks);
    bytes += part.value.length;
    if (bytes > max) {
      await reader?.cancel().catch(() => {}); // the connection broke
      return null;
    }
    chunks.push(part.value);
  }
}
