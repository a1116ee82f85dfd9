import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { muster } from "./command-run.ts";

/** A mesh that knows its auth mode only. */
let server: Server;
let url: string;
let mode = "allowlist";
const asked: string[] = [];
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  asked.push(`${request.method} ${request.url} ${body}`);
  if (body !== "") mode = (JSON.parse(body) as { mode: string }).mode;
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ mode }));
}
beforeAll(async () => {
  server = createServer((...pair) => void answer(...pair)).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

test.each([[["auth-mode"]], [["mesh", "auth-mode"]]])(
  "CL76 muster %j shows the mode, sets it, and refuses another one before any request",
  async (words) => {
    mode = "allowlist";
    asked.length = 0;
    expect(await muster(...words, "--url", url)).toMatchObject({ code: 0, out: "allowlist\n" });
    expect(await muster(...words, "open", "--url", url)).toMatchObject({ code: 0, out: "open\n" });
    const json = await muster(...words, "--json", "--url", url);
    expect(JSON.parse(json.out)).toEqual({ mode: "open" });
    expect(asked).toEqual([
      "GET /v1/auth-mode ",
      'PUT /v1/auth-mode {"mode":"open"}',
      "GET /v1/auth-mode ",
    ]);
    const refused = await muster(...words, "closed", "--url", url);
    expect([refused.code, asked.length]).toEqual([2, 3]);
    expect(refused.err).toContain('MODE must be one of open, allowlist, not "closed"');
  },
);
