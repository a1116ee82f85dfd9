/** Servers that are no mesh, for every command that calls one. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EVERY_CALL } from "./every-call.ts";
import { muster } from "./command-run.ts";

// Each command line of this process listens to signals.
process.setMaxListeners(0);

const ANSWERS: Readonly<Record<string, readonly [status: number, type: string, body: string]>> = {
  array: [200, "application/json", "[]"],
  null: [200, "application/json", "null"],
  "another object": [200, "application/json", '{"hello":1}'],
  "a page": [200, "text/html", "<html>hi</html>"],
  nothing: [200, "text/plain", ""],
  "a page that was not found": [404, "text/html", "<h1>404</h1>"],
  "an error of another API": [400, "application/json", '{"error":"no"}'],
};

let server: Server;
let base: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const [status, type, body] = ANSWERS[decodeURIComponent(request.url?.split("/")[1] ?? "")] ?? [
      500,
      "text/plain",
      "boom",
    ];
    response.writeHead(status, { "content-type": type }).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describe.each(Object.keys(ANSWERS))("CL75 a server that answers with %s", (answer) => {
  // An answer without a body says all that these need to know.
  const calls = EVERY_CALL.filter(([name]) => name !== "webhook listen");
  test.each(calls)("is no Muster mesh to muster %s", async (_, argv) => {
    const url = `${base}/${encodeURIComponent(answer)}`;
    const { code, err, out } = await muster(...argv, "--url", url);
    expect([code, out]).toEqual([3, ""]);
    expect(err).toMatch(/no Muster mesh/);
    expect(err).not.toMatch(/Invalid input: expected object/);
  });
});
