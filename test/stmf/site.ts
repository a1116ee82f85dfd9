import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { createSite } from "../contracts/sealed-forms.suite.ts";

/** Serves the suite's site over real sockets and converts between Node's and the web's requests and responses. */
export async function startSite(): Promise<{ readonly url: string; close(): void }> {
  const site = createSite();
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "GET", url = "/", headers } = incoming;
    const body = method === "GET" ? null : new Uint8Array(await buffer(incoming));
    const request = new Request(`http://localhost${url}`, {
      method,
      body,
      headers: headers as Record<string, string>,
    });
    const response = await site.fetch(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(new Uint8Array(await response.arrayBuffer()));
  };
  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
